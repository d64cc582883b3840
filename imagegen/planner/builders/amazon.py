"""Packer's amazon-ebs builder."""

from __future__ import annotations

from imagegen.catalog import Catalog
from imagegen.plan import BuilderPlan
from imagegen.planner.builders.amazon_policy import plan_amazon_policy
from imagegen.spec import Cluster, Image


def plan_amazon(cluster: Cluster, image: Image, catalog: Catalog) -> BuilderPlan | None:
    """An AMI."""
    builder = image.amazon
    if builder is None:
        return None
    region = builder.region or cluster.provider.region or ""
    return BuilderPlan(
        key="amazon",
        type="amazon-ebs",
        base=builder.source_image or f"{builder.source_owner}/{builder.source_name}",
        disk_gib=builder.disk_gib,
        variables={
            "amazon_region": region,
            "amazon_source_ami": builder.source_image or "",
            "amazon_source_name": builder.source_name or "",
            "amazon_source_owner": builder.source_owner or "",
            "amazon_instance_type": builder.instance_type,
            "amazon_subnet_id": builder.subnet,
            "amazon_security_group_id": builder.security_group,
            "amazon_public_ip": not builder.private_address,
            "amazon_session_manager": builder.session_manager,
            "amazon_instance_profile": builder.instance_profile or "",
            "amazon_root_device": builder.root_device,
            "amazon_disk_gib": builder.disk_gib,
            "amazon_encrypted": builder.encrypted,
            "amazon_kms_key": builder.kms_key or "",
            "amazon_copy_regions": list(builder.copy_regions),
            "amazon_copy_kms_keys": dict(builder.copy_kms_keys),
            "amazon_share_accounts": list(builder.share_accounts),
            "amazon_share_organizations": list(builder.share_organizations),
        },
        policy=plan_amazon_policy(builder, image.metadata.name, region, catalog.permissions["amazon"]),
    )
