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


def check_kube_vip(cluster: Cluster, catalog: Catalog) -> Iterator[Diagnostic]:
    """IG238: an endpoint that kube-vip cannot keep. IG239: a network that moves no address."""
    plane, provider = cluster.control_plane, cluster.provider.type
    if plane.existing or plane.endpoint is None or plane.high_availability.type is not Availability.KUBE_VIP:
        return
    for message, hint in _kube_vip_faults(cluster):
        yield Diagnostic(code="IG238", message=message, hint=hint, path=_ENDPOINT)
    if catalog.providers[provider].moves_addresses is False:
        yield Diagnostic(
            code="IG239",
            message=f"{provider}'s network delivers no address to a machine because that machine announces it",
            hint="take a load balancer: highAvailability: {type: external}; or have the cloud move the address",
            severity=Severity.WARNING,
            path=("controlPlane", "highAvailability", "type"),
        )


def _kube_vip_faults(cluster: Cluster) -> Iterator[tuple[str, str]]:
    plane = cluster.control_plane
    host, port = split_endpoint(plane.endpoint or "")
    address = read_address(host)
    if address is None:
        yield f"kube-vip keeps an address, and `{host}` is a name", "give the endpoint as an address"
    elif not any(address in cidr for cidr in cluster.network.node_cidrs):
        message = f"the virtual address {host} is in none of network.nodeCIDRs: nobody on them would find it"
        yield message, "take a free address of the control planes' network"
    if plane.is_endpoint_a_node:
        yield f"the virtual address {host} is a control plane's own", "take a free address of their network"
    if port != _BIND_PORT:
        message = (
            f"the endpoint's port is {port}: at the virtual address the API server itself answers, on {_BIND_PORT}"
        )
        yield message, f"{host}:{_BIND_PORT}"
    if plane.high_availability.hairpin is Hairpin.LOCAL:
        message = "with `hairpin: local` every control plane has the virtual address, and with kube-vip one of them"
        yield message, "leave `hairpin` out"
