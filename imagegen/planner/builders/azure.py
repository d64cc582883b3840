"""Packer's azure-arm builder."""

from __future__ import annotations

from imagegen.catalog import Catalog
from imagegen.plan import BuilderPlan
from imagegen.spec import Cluster, Image


def plan_azure(_: Cluster, image: Image, __: Catalog) -> BuilderPlan | None:
    """A managed image."""
    builder = image.azure
    if builder is None:
        return None
    source = builder.source
    return BuilderPlan(
        key="azure",
        type="azure-arm",
        base=f"{source.publisher}:{source.offer}:{source.sku}:{source.version}",
        disk_gib=builder.disk_gib,
        variables={
            "azure_build_resource_group": builder.build_resource_group,
            "azure_virtual_network": builder.virtual_network,
            "azure_subnet": builder.subnet,
            "azure_network_resource_group": builder.network_resource_group or builder.build_resource_group,
            "azure_public_ip": not builder.private_address,
            "azure_image_publisher": source.publisher,
            "azure_image_offer": source.offer,
            "azure_image_sku": source.sku,
            "azure_image_version": source.version,
            "azure_vm_size": builder.vm_size,
            "azure_disk_gib": builder.disk_gib,
            "azure_image_resource_group": builder.image_resource_group,
            "azure_storage_type": builder.storage_type,
        },
    )
