"""Packer's builders, a file each: what the spec says of one becomes values of Packer's variables."""

from __future__ import annotations

from collections.abc import Callable

from imagegen.catalog import Catalog
from imagegen.plan import BuilderPlan
from imagegen.planner.builders.alicloud import plan_alicloud
from imagegen.planner.builders.amazon import plan_amazon
from imagegen.planner.builders.azure import plan_azure
from imagegen.planner.builders.googlecompute import plan_googlecompute
from imagegen.planner.builders.openstack import plan_openstack
from imagegen.planner.builders.qemu import plan_qemu
from imagegen.planner.builders.vsphere import plan_vsphere
from imagegen.spec import Cluster, Image

PlanBuilder = Callable[[Cluster, Image, Catalog], BuilderPlan | None]

_EVERYWHERE = plan_qemu
_BY_TYPE: dict[str, PlanBuilder] = {
    "alicloud-ecs": plan_alicloud,
    "amazon-ebs": plan_amazon,
    "googlecompute": plan_googlecompute,
    "azure-arm": plan_azure,
    "openstack": plan_openstack,
    "vsphere-clone": plan_vsphere,
}


def plan_builders(cluster: Cluster, image: Image, catalog: Catalog) -> tuple[BuilderPlan, ...]:
    """Those that make this cluster's image: qemu, and its own cloud's where the image has settings for it.

    Another cloud's would find no user-data: the image names the data sources of the cluster's provider.
    """
    own = _BY_TYPE.get(catalog.providers[cluster.provider.type].builder)
    plans = (_EVERYWHERE(cluster, image, catalog), own(cluster, image, catalog) if own else None)
    return tuple(plan for plan in plans if plan is not None)
