"""Rules about what stands before several control planes."""

from __future__ import annotations

from collections.abc import Iterator

from imagegen.catalog import Catalog
from imagegen.diagnostics import Diagnostic
from imagegen.spec import Cluster, Hairpin, split_endpoint

# kubeadm's localAPIEndpoint.bindPort, which no spec changes.
_BIND_PORT = 6443
# What kube-apiserver's --bind-address says for every address; it is so without the flag, too.
_EVERYWHERE = {None, "0.0.0.0", "::"}  # noqa: S104


def check_hairpin(cluster: Cluster, catalog: Catalog) -> Iterator[Diagnostic]:
    """IG237: control planes are to answer the endpoint themselves, and could not."""
    plane = cluster.control_plane
    loses = catalog.providers[cluster.provider.type].balancer_hairpin is False
    if not plane.endpoint or plane.existing or plane.hairpin(balancer_loses=loses) is not Hairpin.LOCAL:
        return
    for message, hint in _faults(cluster):
        yield Diagnostic(code="IG237", message=message, hint=hint, path=("controlPlane", "endpoint"))


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
