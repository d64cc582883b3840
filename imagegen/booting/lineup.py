"""Which machines are started, where the operator stands beside them, and what cannot work here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface

from imagegen.plan import ClusterPlan, NodePlan, RoleKind, RolePlan
from imagegen.spec import Cluster

_SOME_NODES = """\
the spec gives no machine a name and an address; for a look here, in it or in a spec that `extends` it:
  controlPlane:
    endpoint: "<an address in nodeCIDRs>:6443"
    nodes: [{name: cp1, address: <the same address>}]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A machine of the cluster that is started here."""

    name: str
    address: IPv4Interface
    role: str
    kind: RoleKind
    image: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineup:
    """Machines to start; `operator` is our own address beside them, `spare` nobody's; the API is at `host`:`port`."""

    members: tuple[Member, ...]
    operator: IPv4Interface
    spare: IPv4Address
    host: str
    port: int


class CannotBootError(ValueError):
    """The spec cannot come up here; says what to do about it."""


def line_up(cluster: Cluster, plan: ClusterPlan, chosen: Sequence[str]) -> Lineup:
    """The machines of a spec, or those of them that were chosen by name."""
    nodes = tuple(_chosen(plan.nodes, chosen))
    host, _, port = plan.endpoint.rpartition(":")
    _check(cluster, plan.nodes, host)
    roles = {role.name: role for role in plan.roles}
    operator, spare = _places(nodes)
    return Lineup(
        members=tuple(_member(node, roles[node.role]) for node in nodes),
        operator=operator,
        spare=spare,
        host=host,
        port=int(port),
    )


def _member(node: NodePlan, role: RolePlan) -> Member:
    address = IPv4Interface(node.address)
    return Member(name=node.name, address=address, role=role.name, kind=role.kind, image=role.image)


def left_out(cluster: Cluster, lineup: Lineup) -> Iterator[str]:
    """A sentence for each part of the cluster that is not started."""
    if lineup.host not in {str(member.address.ip) for member in lineup.members}:
        yield f"the machine at the endpoint {lineup.host} is not started: nobody will be Ready without it"
    for pool in cluster.node_pools:
        if not pool.nodes and pool.size:
            yield f"pool {pool.name} is not started: the spec gives its machines no names and addresses (`nodes`)"


def _chosen(nodes: Sequence[NodePlan], names: Sequence[str]) -> Iterable[NodePlan]:
    known = {node.name: node for node in nodes}
    if not known:
        raise CannotBootError(_SOME_NODES)
    if absent := [name for name in names if name not in known]:
        raise CannotBootError(f"there is no node {' or '.join(absent)}; known: {', '.join(known)}")
    return [node for node in nodes if not names or node.name in names]


def _check(cluster: Cluster, nodes: Sequence[NodePlan], host: str) -> None:
    if cluster.control_plane.existing:
        raise CannotBootError(
            "the control plane was made elsewhere (`controlPlane.existing`), and machines here have no way to it"
        )
    if cluster.stock_images:
        raise CannotBootError(
            f"machines of {' and '.join(cluster.stock_images)} install themselves (`install: stock`) from what they "
            "download, and there is no way out of their network here: take `install: baked` for a look"
        )
    if any(":" in node.address for node in nodes):
        raise CannotBootError("machines here have IPv4 addresses only, and the spec's nodes have others")
    addresses = {str(IPv4Interface(node.address).ip) for node in nodes}
    if host not in addresses:
        planes = [str(node.address) for node in cluster.control_plane.nodes]
        first = planes[0] if planes else "<address of a control plane>"
        raise CannotBootError(
            f"nothing here answers at the endpoint {host}: no machine has this address, and there is no balancer. "
            "For a look here, in the spec or in one that `extends` it:\n"
            f'  controlPlane: {{endpoint: "{first}:6443"}}'
        )


def _free(nodes: Sequence[NodePlan]) -> Iterator[IPv4Interface]:
    """Addresses on the machines' network that nobody has, the last first."""
    network = IPv4Interface(nodes[0].address).network
    taken = {node.gateway for node in nodes} | {str(IPv4Interface(node.address).ip) for node in nodes}
    for number in range(2, network.num_addresses):
        if str(network[-number]) not in taken:
            yield IPv4Interface(f"{network[-number]}/{network.prefixlen}")


def _places(nodes: Sequence[NodePlan]) -> tuple[IPv4Interface, IPv4Address]:
    """The gateway, which nobody else is here, or where there is none a free address; and another free one."""
    free = _free(nodes)
    gateway = nodes[0].gateway
    length = IPv4Interface(nodes[0].address).network.prefixlen
    operator = IPv4Interface(f"{gateway}/{length}") if gateway else next(free)
    return operator, next(free).ip
