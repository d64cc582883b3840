"""Rules about nodes and pools."""

from __future__ import annotations

from collections.abc import Iterator

from imagegen.bundle import CONTROL_PLANE
from imagegen.catalog import Catalog
from imagegen.diagnostics import Diagnostic, Path, Severity
from imagegen.spec import Cluster, ControlPlane, Node, NodeName, NodePool, UserData, split_endpoint


def _nodes(cluster: Cluster) -> Iterator[tuple[Path, Node]]:
    for number, node in enumerate(cluster.control_plane.nodes):
        yield ("controlPlane", "nodes", number), node
    for pool_number, pool in enumerate(cluster.node_pools):
        for number, node in enumerate(pool.nodes):
            yield ("nodePools", pool_number, "nodes", number), node


def check_pool_names(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG207: a pool's name is taken."""
    seen = {CONTROL_PLANE}
    for number, pool in enumerate(cluster.node_pools):
        if pool.name in seen:
            message = f"the pool name `{pool.name}` is taken"
            yield Diagnostic(code="IG207", message=message, path=("nodePools", number, "name"))
        seen.add(pool.name)


def check_names(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG208: two nodes have one name."""
    seen: set[str] = set()
    for path, node in _nodes(cluster):
        if node.name in seen:
            message = f"two nodes are named `{node.name}`; a Ready node of the same name blocks the join"
            yield Diagnostic(code="IG208", message=message, path=(*path, "name"))
        seen.add(node.name)


def check_addresses(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG209: two nodes have one address. IG210: an address is in no node range."""
    seen: dict[object, str] = {}
    for path, node in _nodes(cluster):
        if node.address in seen:
            message = f"`{node.name}` and `{seen[node.address]}` have the same address {node.address}"
            yield Diagnostic(code="IG209", message=message, path=(*path, "address"))
        seen.setdefault(node.address, node.name)
        if not any(node.address in cidr for cidr in cluster.network.node_cidrs):
            yield Diagnostic(
                code="IG210",
                message=f"the address {node.address} of `{node.name}` is in none of network.nodeCIDRs",
                hint="the node would wait for ever for an address of its own there",
                path=(*path, "address"),
            )


def check_control_plane(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG222: neither an endpoint nor an existing control plane. IG223: both, or settings of ours for theirs."""
    plane = cluster.control_plane
    if plane.existing is None and plane.endpoint is None:
        yield Diagnostic(
            code="IG222",
            message="controlPlane needs `endpoint`, or `existing` for pools of a cluster made elsewhere",
            path=("controlPlane",),
            on_key=True,
        )
    ours = {
        "endpoint": plane.endpoint,
        "highAvailability": plane.high_availability.hairpin,
        "userData": plane.user_data is UserData.SHARED,
        "firstNode": plane.first_node,
        "nodes": plane.nodes,
        "taints": plane.taints,
        "auditPolicy": plane.audit_policy,
        "metadataAccess": plane.metadata_access,
        "etcdSnapshots": plane.etcd_snapshots,
    }
    for key in [key for key, value in ours.items() if plane.existing and value]:
        yield Diagnostic(
            code="IG223",
            message=f"controlPlane.{key} is about a control plane of our own, and this one exists already",
            hint="leave it out, or leave `existing` out",
            path=("controlPlane", key),
            on_key=True,
        )


def check_replicas(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG211: the number of control planes is not the number of listed nodes."""
    plane = cluster.control_plane
    if plane.replicas is not None and plane.nodes and plane.replicas != len(plane.nodes):
        yield Diagnostic(
            code="IG211",
            message=f"controlPlane.replicas is {plane.replicas}, and controlPlane.nodes lists {len(plane.nodes)}",
            hint="leave `replicas` out: the list decides",
            path=("controlPlane", "replicas"),
        )


def check_pool_replicas(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG262: the number of a pool's machines is not the number of its listed nodes."""
    for number, pool in enumerate(cluster.node_pools):
        if pool.nodes and pool.scaling is None and pool.replicas not in {None, len(pool.nodes)}:
            yield Diagnostic(
                code="IG262",
                message=f"pool `{pool.name}` has replicas: {pool.replicas}, and lists {len(pool.nodes)} nodes: each"
                " machine with a fixed name and address is a node of its own",
                hint="leave `replicas` out, or list all of them, or put those without a name into another pool",
                path=("nodePools", number, "replicas"),
            )


def check_control_plane_count(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG212: an even number of stacked control planes. IG213: several, and the endpoint is one of them."""
    plane = cluster.control_plane
    path: Path = ("controlPlane", "nodes" if plane.nodes else "replicas")
    if plane.size > 1 and plane.size % 2 == 0:
        yield Diagnostic(
            code="IG212",
            message=f"{plane.size} control planes bear no more failures than {plane.size - 1}: etcd needs a majority",
            hint=f"take {plane.size - 1} or {plane.size + 1}",
            severity=Severity.WARNING,
            path=path,
        )
    host = split_endpoint(plane.endpoint)[0] if plane.endpoint else None
    if plane.size > 1 and host in {str(node.address) for node in plane.nodes}:
        yield Diagnostic(
            code="IG213",
            message=f"the endpoint {plane.endpoint} is one of {plane.size} control planes: the cluster falls with it",
            hint="put a load balancer or a VIP in front",
            path=("controlPlane", "endpoint"),
        )


def check_scaling(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG228: bounds that are none, or replicas outside of them, or nodes that an autoscaler cannot make."""
    for number, pool in enumerate(cluster.node_pools):
        if pool.scaling is None:
            continue
        low, high = pool.scaling.min, pool.scaling.max
        outside = pool.replicas is not None and not low <= pool.replicas <= high
        faults = {
            f"scaling.min is {low}, and scaling.max {high}": low > high,
            f"replicas is {pool.replicas}, and scaling goes from {low} to {high}": low <= high and outside,
            "an autoscaler makes machines of its own, and `nodes` lists machines with names": bool(pool.nodes),
        }
        for message in [message for message, fault in faults.items() if fault]:
            path: Path = ("nodePools", number, "scaling")
            yield Diagnostic(code="IG228", message=f"pool `{pool.name}`: {message}", path=path, on_key=True)


def check_node_names(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG232: names from a list that there is not, or a list that nobody reads."""
    groups: list[tuple[Path, ControlPlane | NodePool]] = [(("controlPlane",), cluster.control_plane)]
    groups += [(("nodePools", number), pool) for number, pool in enumerate(cluster.node_pools)]
    for path, group in groups:
        fixed = group.node_name is NodeName.FIXED
        faults = {
            "`fixed` takes the names from `nodes`, and none are listed": fixed and not group.nodes,
            "`nodes` fixes the names, and nodeName takes them from elsewhere": bool(group.nodes and group.node_name)
            and not fixed,
        }
        for message in [message for message, fault in faults.items() if fault]:
            yield Diagnostic(code="IG232", message=message, path=(*path, "nodeName"))
        if group.node_name_prefix and group.node_name is not NodeName.PREFIX_AND_INSTANCE_ID:
            message = "nodeNamePrefix is for `nodeName: prefix+instance-id`"
            yield Diagnostic(code="IG232", message=message, path=(*path, "nodeNamePrefix"), on_key=True)
