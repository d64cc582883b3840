"""Rules about address ranges and the endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from itertools import combinations

from imagegen.catalog import Catalog
from imagegen.diagnostics import Diagnostic, Path
from imagegen.spec import Cluster, Network, split_endpoint


def _ranges(cluster: Cluster) -> list[tuple[Path, str, Network]]:
    network = cluster.network
    nodes: list[tuple[Path, str, Network]] = [
        (("network", "nodeCIDRs", number), "a node range", cidr) for number, cidr in enumerate(network.node_cidrs)
    ]
    pods: tuple[Path, str, Network] = (("network", "podCIDR"), "the pod range", network.pod_cidr)
    services: tuple[Path, str, Network] = (
        ("network", "serviceCIDR"),
        "the service range",
        network.service_cidr,
    )
    return [*nodes, pods, services]


def check_overlaps(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG204: two ranges share addresses."""
    for (_first_path, first_name, first), (path, name, second) in combinations(_ranges(cluster), 2):
        if first.version == second.version and first.overlaps(second):
            yield Diagnostic(
                code="IG204",
                message=f"{name} {second} overlaps {first_name} {first}: packets would go astray",
                hint="take ranges that are apart",
                path=path,
            )


def check_reserved(cluster: Cluster, catalog: Catalog) -> Iterator[Diagnostic]:
    """IG214: a range that the provider keeps for itself."""
    provider = cluster.provider.type
    for path, name, cidr in _ranges(cluster):
        for reserved in catalog.providers[provider].reserved:
            if cidr.version == reserved.version and cidr.overlaps(reserved):
                yield Diagnostic(
                    code="IG214",
                    message=f"{name} {cidr} overlaps {reserved}, which {provider} keeps for itself",
                    hint="take another range",
                    path=path,
                )


def check_endpoint(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG206: the endpoint lies in the pod or service range."""
    place = ("controlPlane", *(("existing",) if cluster.control_plane.existing else ()), "endpoint")
    try:
        address = ip_address(split_endpoint(cluster.control_plane.address)[0])
    except ValueError:
        return
    for name, cidr in (("pod", cluster.network.pod_cidr), ("service", cluster.network.service_cidr)):
        if address in cidr:
            yield Diagnostic(
                code="IG206",
                message=f"the endpoint {address} lies in the {name} range {cidr}",
                hint="it must be an address of a load balancer, a VIP or a control plane",
                path=place,
            )
