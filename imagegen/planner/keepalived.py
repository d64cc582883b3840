"""haproxy and keepalived on the control planes: the endpoint's address on one of them, all API servers behind it."""

from __future__ import annotations

from imagegen.plan import KeepalivedPlan
from imagegen.spec import Availability, Cluster, read_address, split_endpoint

# kubeadm's localAPIEndpoint.bindPort, which no spec changes.
_API_PORT = 6443
# As haproxy writes every address of a family; the port follows.
_EVERYWHERE = {4: "", 6: "::"}


def plan_keepalived(cluster: Cluster) -> KeepalivedPlan | None:
    """What control planes are told, where the spec asks for it; the rules see to it that the endpoint is an address."""
    plane = cluster.control_plane
    host, port = split_endpoint(plane.address)
    address, router_id = read_address(host), plane.high_availability.virtual_router_id
    if plane.high_availability.type is not Availability.KEEPALIVED or address is None or router_id is None:
        return None
    return KeepalivedPlan(
        address=f"{address}/{address.max_prefixlen}",
        everywhere=_EVERYWHERE[address.version],
        port=port,
        api_port=_API_PORT,
        virtual_router_id=router_id,
        planes={node.name: str(node.address) for node in plane.nodes},
    )
