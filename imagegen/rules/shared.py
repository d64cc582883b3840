"""Rules about user-data that all control planes have alike."""

from __future__ import annotations

from collections.abc import Iterator

from imagegen.catalog import Catalog
from imagegen.diagnostics import Diagnostic
from imagegen.spec import Cluster, NodeName, UserData, read_address


def check_first_node(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG236: nothing says which control plane starts the cluster, or no machine could be the one."""
    plane = cluster.control_plane
    shared = plane.user_data is UserData.SHARED
    if shared and not plane.existing and not plane.first:
        yield Diagnostic(
            code="IG236",
            message="all control planes have the same user-data, and nothing says which of them starts the cluster",
            hint="name it by `firstNode`: the name or the address that it will have; or list `nodes`",
            path=("controlPlane", "userData"),
        )
    if plane.first_node and not plane.existing:
        message = _fault(cluster, plane.first_node) if shared else "firstNode is for `userData: shared`"
        if message:
            yield Diagnostic(code="IG236", message=message, path=("controlPlane", "firstNode"), on_key=not shared)


def _fault(cluster: Cluster, first: str) -> str:
    plane, address = cluster.control_plane, read_address(first)
    if plane.nodes:
        listed = any(first == node.name or address == node.address for node in plane.nodes)
        return "" if listed else f"`{first}` is none of controlPlane.nodes"
    if address is not None:
        inside = any(address in cidr for cidr in cluster.network.node_cidrs)
        return "" if inside else f"the address {first} is in none of network.nodeCIDRs: no machine would be the first"
    if plane.node_name is NodeName.PREFIX_AND_INSTANCE_ID:
        return f"`{first}` can be no machine's name before it has an instance id; an address can be known beforehand"
    return ""
