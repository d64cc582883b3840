"""Packer's vsphere-clone builder."""

from __future__ import annotations

from typing import Any

from imagegen.catalog import Catalog
from imagegen.plan import BuilderPlan
from imagegen.spec import Cluster, Image


def plan_vsphere(_: Cluster, image: Image, __: Catalog) -> BuilderPlan | None:
    """A template of vCenter."""
    builder = image.vsphere
    if builder is None:
        return None
    variables: dict[str, Any] = {
        "vsphere_datacenter": builder.datacenter or "",
        "vsphere_cluster": builder.cluster or "",
        "vsphere_host": builder.host or "",
        "vsphere_resource_pool": builder.resource_pool or "",
        "vsphere_datastore": builder.datastore or "",
        "vsphere_folder": builder.folder or "",
        "vsphere_network": builder.network or "",
        "vsphere_template": builder.template,
        "vsphere_cpus": builder.cpus,
        "vsphere_memory_mib": builder.memory_mib,
        "vsphere_disk_gib": builder.disk_gib,
    }
    # Left out, it is what the environment says where Packer runs.
    if builder.server:
        variables["vsphere_server"] = builder.server
    return BuilderPlan(
        key="vsphere",
        type="vsphere-clone",
        base=builder.template,
        disk_gib=builder.disk_gib,
        variables=variables,
    )
