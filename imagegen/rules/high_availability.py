"""Rules about what stands before several control planes."""

from __future__ import annotations

from collections.abc import Iterator

from imagegen.catalog import Catalog
from imagegen.diagnostics import Diagnostic, Path, Severity
from imagegen.spec import Availability, Cluster, Hairpin, read_address, split_endpoint

# kubeadm's localAPIEndpoint.bindPort, which no spec changes.
_BIND_PORT = 6443
# What kube-apiserver's --bind-address says for every address; it is so without the flag, too.
_ENDPOINT: Path = ("controlPlane", "endpoint")
_SETTINGS: Path = ("controlPlane", "highAvailability")
# What kubeadm's page on high availability takes, and nothing of Kubernetes does.
_FREE_PORT = 8443
_EVERYWHERE = {None, "0.0.0.0", "::"}  # noqa: S104


def check_hairpin(cluster: Cluster, catalog: Catalog) -> Iterator[Diagnostic]:
    """IG237: control planes are to answer the endpoint themselves, and could not."""
    plane = cluster.control_plane
    loses = catalog.providers[cluster.provider.type].balancer_hairpin is False
    if not plane.endpoint or plane.existing or plane.hairpin(balancer_loses=loses) is not Hairpin.LOCAL:
        return
    for message, hint in _faults(cluster):
        yield Diagnostic(code="IG237", message=message, hint=hint, path=_ENDPOINT)


def _faults(cluster: Cluster) -> Iterator[tuple[str, str]]:
    plane = cluster.control_plane
    asked = "" if plane.high_availability.hairpin else f", as {cluster.provider.type}'s load balancer needs it,"
    otherwise = "where the balancer brings a machine back to itself: highAvailability: {hairpin: none}"
    port = split_endpoint(plane.endpoint or "")[1]
    bound = cluster.kubeadm.api_server.extra_args.get("bind-address")
    if port != _BIND_PORT:
        message = (
            f"the endpoint's port is {port}: control planes that answer it themselves{asked} listen on {_BIND_PORT}"
        )
        yield message, f"give the balancer a listener on {_BIND_PORT}; or, {otherwise}"
    if bound not in _EVERYWHERE:
        message = f"the API server listens at {bound} alone, and is to answer at the endpoint{asked} as well"
        yield message, f"leave kubeadm.apiServer.extraArgs.bind-address out; or, {otherwise}"
    if plane.is_endpoint_a_node:
        yield f"the endpoint {plane.endpoint} is a control plane's own: there is no balancer", "leave `hairpin` out"


def check_kube_vip(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG238: an endpoint that kube-vip cannot keep."""
    if not _is_kept_by(cluster, Availability.KUBE_VIP):
        return
    for message, hint in (*_address_faults(cluster, "kube-vip"), *_port_of_kube_vip(cluster)):
        yield Diagnostic(code="IG238", message=message, hint=hint, path=_ENDPOINT)


def check_keepalived(cluster: Cluster, catalog: Catalog) -> Iterator[Diagnostic]:
    """IG233: an endpoint that keepalived cannot keep. IG235: control planes that do not know each other.

    IG269: a setting of keepalived's where it does not run.
    """
    settings = cluster.control_plane.high_availability
    if _is_kept_by(cluster, Availability.KEEPALIVED):
        for message, hint in (*_address_faults(cluster, "keepalived"), *_port_of_haproxy(cluster, catalog)):
            yield Diagnostic(code="IG233", message=message, hint=hint, path=_ENDPOINT)
        yield from _peers(cluster)
    elif settings.virtual_router_id is not None and settings.type is not Availability.KEEPALIVED:
        yield Diagnostic(
            code="IG269",
            message=f"virtualRouterID is keepalived's, and highAvailability.type is `{settings.type}`",
            hint="leave it out; or take it: highAvailability: {type: keepalived}",
            severity=Severity.WARNING,
            path=(*_SETTINGS, "virtualRouterID"),
            on_key=True,
        )


def check_moving_address(cluster: Cluster, catalog: Catalog) -> Iterator[Diagnostic]:
    """IG239: a network that moves no address."""
    provider = cluster.provider.type
    moves = any(_is_kept_by(cluster, each) for each in (Availability.KUBE_VIP, Availability.KEEPALIVED))
    if moves and catalog.providers[provider].moves_addresses is False:
        yield Diagnostic(
            code="IG239",
            message=f"{provider}'s network delivers no address to a machine because that machine announces it",
            hint="take a load balancer: highAvailability: {type: external}; or have the cloud move the address",
            severity=Severity.WARNING,
            path=(*_SETTINGS, "type"),
        )


def _is_kept_by(cluster: Cluster, program: Availability) -> bool:
    plane = cluster.control_plane
    return plane.endpoint is not None and not plane.existing and plane.high_availability.type is program


def _address_faults(cluster: Cluster, program: str) -> Iterator[tuple[str, str]]:
    """What is wrong with an address that is to be on one of the control planes."""
    plane = cluster.control_plane
    host, _ = split_endpoint(plane.endpoint or "")
    address = read_address(host)
    if address is None:
        yield f"{program} keeps an address, and `{host}` is a name", "give the endpoint as an address"
    elif not any(address in cidr for cidr in cluster.network.node_cidrs):
        message = f"the virtual address {host} is in none of network.nodeCIDRs: nobody on them would find it"
        yield message, "take a free address of the control planes' network"
    if plane.is_endpoint_a_node:
        yield f"the virtual address {host} is a control plane's own", "take a free address of their network"
    if plane.high_availability.hairpin is Hairpin.LOCAL:
        message = f"with `hairpin: local` every control plane has the virtual address, and with {program} one of them"
        yield message, "leave `hairpin` out"


def _port_of_kube_vip(cluster: Cluster) -> Iterator[tuple[str, str]]:
    host, port = split_endpoint(cluster.control_plane.endpoint or "")
    if port != _BIND_PORT:
        message = (
            f"the endpoint's port is {port}: at the virtual address the API server itself answers, on {_BIND_PORT}"
        )
        yield message, f"{host}:{_BIND_PORT}"


def _port_of_haproxy(cluster: Cluster, catalog: Catalog) -> Iterator[tuple[str, str]]:
    endpoint = cluster.control_plane.endpoint or ""
    _, port = split_endpoint(endpoint)
    if port in catalog.ports:
        message = f"haproxy is to listen on port {port} of each control plane, where {catalog.ports[port]} does already"
        yield message, f"{endpoint.rpartition(':')[0]}:{_FREE_PORT}"


def _peers(cluster: Cluster) -> Iterator[Diagnostic]:
    plane = cluster.control_plane
    virtual = read_address(split_endpoint(plane.endpoint or "")[0])
    if not plane.nodes:
        yield Diagnostic(
            code="IG235",
            message="keepalived speaks to the other control planes, and haproxy passes on to them, by their addresses",
            hint="list them: controlPlane: {nodes: [{name: cp1, address: ...}, ...]}",
            path=(*_SETTINGS, "type"),
        )
    for number, node in enumerate(plane.nodes):
        if virtual is not None and node.address.version != virtual.version:
            yield Diagnostic(
                code="IG235",
                message=f"`{node.name}` has the address {node.address}, and the virtual one, {virtual}, is of the other"
                " family: VRRP speaks one of them",
                path=("controlPlane", "nodes", number, "address"),
            )
