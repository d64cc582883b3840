"""Packer's googlecompute builder."""

from __future__ import annotations

from imagegen.catalog import Catalog
from imagegen.plan import BuilderPlan
from imagegen.spec import Cluster, Image


def plan_googlecompute(_: Cluster, image: Image, __: Catalog) -> BuilderPlan | None:
    """An image of Compute Engine."""
    builder = image.googlecompute
    if builder is None:
        return None
    return BuilderPlan(
        key="googlecompute",
        type="googlecompute",
        base=builder.source_image or builder.source_family or "",
        disk_gib=builder.disk_gib,
        variables={
            "googlecompute_project": builder.project,
            "googlecompute_zone": builder.zone,
            "googlecompute_source_image": builder.source_image or "",
            "googlecompute_source_family": builder.source_family or "",
            "googlecompute_source_project": builder.source_project or "",
            "googlecompute_machine_type": builder.machine_type,
            "googlecompute_subnetwork": builder.subnetwork,
            "googlecompute_network_project": builder.network_project or "",
            "googlecompute_network_tags": list(builder.network_tags),
            "googlecompute_public_ip": not builder.private_address,
            "googlecompute_disk_gib": builder.disk_gib,
            "googlecompute_disk_type": builder.disk_type,
            "googlecompute_family": builder.family or "",
            "googlecompute_storage_locations": [builder.storage_location] if builder.storage_location else [],
        },
    )
