"""The machines whose name and address are known beforehand."""

from __future__ import annotations

from imagegen.bundle import Bundle
from imagegen.plan import NodePlan, RoleKind
from imagegen.planner.roles import worker_role
from imagegen.spec import Address, Cluster, Node, UserData


def plan_nodes(cluster: Cluster, bundle: Bundle) -> tuple[NodePlan, ...]:
    """Every fixed node with the role it boots as; the first control plane initialises."""
    shared = cluster.control_plane.user_data is UserData.SHARED
    first = RoleKind.CONTROL_PLANE if shared else RoleKind.CONTROL_PLANE_INIT
    others = RoleKind.CONTROL_PLANE if shared else RoleKind.CONTROL_PLANE_JOIN
    roles: list[tuple[Node, str]] = [
        (node, others if number else first) for number, node in enumerate(cluster.control_plane.nodes)
    ]
    roles += [(node, worker_role(pool)) for pool in cluster.node_pools for node in pool.nodes]
    return tuple(_plan_node(cluster, bundle, node, role) for node, role in roles)


def _plan_node(cluster: Cluster, bundle: Bundle, node: Node, role: str) -> NodePlan:
    network = cluster.network
    # Two clusters may share names; the CA's hash keeps their instances apart.
    cluster_id = bundle.ca_hashes[0].partition(":")[2][:8]
    return NodePlan(
        name=node.name,
        role=role,
        instance_id=f"{cluster.metadata.name}-{node.name}-{cluster_id}",
        address=f"{node.address}/{_prefix_length(cluster, node.address)}",
        gateway=str(network.gateway) if network.gateway else None,
        nameservers=tuple(str(server) for server in network.nameservers),
    )


def _prefix_length(cluster: Cluster, address: Address) -> int:
    return next(cidr.prefixlen for cidr in cluster.network.node_cidrs if address in cidr)
