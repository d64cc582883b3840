"""Packer's alicloud-ecs builder."""

from __future__ import annotations

from collections.abc import Iterator

from imagegen.catalog import Catalog, Permissions
from imagegen.plan import BuilderPlan, PolicyPlan, StatementPlan
from imagegen.spec import AlicloudBuilder, Cluster, Image


def plan_alicloud(cluster: Cluster, image: Image, catalog: Catalog) -> BuilderPlan | None:
    """A custom image of ECS."""
    builder = image.alicloud
    if builder is None:
        return None
    region = builder.region or cluster.provider.region or ""
    statements = tuple(_statements(builder, region, catalog.permissions["alicloud"]))
    return BuilderPlan(
        key="alicloud",
        type="alicloud-ecs",
        base=builder.source_image or builder.source_family or "",
        disk_gib=builder.disk_gib,
        variables={
            "alicloud_region": region,
            "alicloud_source_image": builder.source_image or "",
            "alicloud_source_family": builder.source_family or "",
            "alicloud_instance_type": builder.instance_type,
            "alicloud_vpc_id": builder.vpc,
            "alicloud_vswitch_id": builder.vswitch,
            "alicloud_security_group_id": builder.security_group,
            "alicloud_public_ip": not builder.private_address,
            "alicloud_disk_category": builder.disk_category,
            "alicloud_disk_gib": builder.disk_gib,
            "alicloud_family": builder.family or "",
            "alicloud_boot_mode": builder.boot_mode or "",
            "alicloud_resource_group_id": builder.resource_group or "",
            "alicloud_encrypted": builder.encrypted,
            "alicloud_copy_regions": list(builder.copy_regions),
            "alicloud_share_accounts": list(builder.share_accounts),
        },
        policy=PolicyPlan(file="policies/alicloud-ram.json", version="1", named=False, statements=statements),
    )


def _statements(builder: AlicloudBuilder, region: str, permissions: Permissions) -> Iterator[StatementPlan]:
    """A statement for each wish; a resource is `acs:<service>:<region>:<account>:<what>`."""
    here, everywhere = _ecs(region), tuple(_ecs(each) for each in (region, *builder.copy_regions))
    yield _allow("regions", permissions, ("acs:ecs:*:*:*",))
    yield _allow("build", permissions, (here,))
    network = f"acs:vpc:{region}:*:"
    yield _allow("network", permissions, (f"{network}vpc/{builder.vpc}", f"{network}vswitch/{builder.vswitch}"))
    wishes = {
        "family": bool(builder.source_family),
        "public": not builder.private_address,
    }
    for name in [name for name, wanted in wishes.items() if wanted]:
        yield _allow(name, permissions, (here,))
    if builder.copy_regions or builder.encrypted:
        yield _allow("copy", permissions, everywhere)


def _ecs(region: str) -> str:
    return f"acs:ecs:{region}:*:*"


def _allow(name: str, permissions: Permissions, resources: tuple[str, ...]) -> StatementPlan:
    return StatementPlan(name=name, actions=permissions[name], resources=resources, conditions={})
