"""Packer's openstack builder."""

from __future__ import annotations

from imagegen.catalog import Catalog
from imagegen.plan import BuilderPlan
from imagegen.spec import Cluster, Image


def plan_openstack(_: Cluster, image: Image, __: Catalog) -> BuilderPlan | None:
    """An image of Glance."""
    builder = image.openstack
    if builder is None:
        return None
    return BuilderPlan(
        key="openstack",
        type="openstack",
        base=builder.source_image or builder.source_name or "",
        disk_gib=builder.min_disk_gib,
        variables={
            "openstack_flavor": builder.flavor,
            "openstack_source_image": builder.source_image or "",
            "openstack_source_image_name": builder.source_name or "",
            "openstack_availability_zone": builder.availability_zone or "",
            "openstack_security_groups": list(builder.security_groups),
            "openstack_networks": list(builder.networks),
            "openstack_floating_ip_network": builder.floating_ip_network or "",
            "openstack_min_disk_gib": builder.min_disk_gib,
            "openstack_share_projects": list(builder.share_projects),
        },
    )
