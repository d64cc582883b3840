"""Rules about the size and kind of address ranges."""

from __future__ import annotations

from collections.abc import Iterator

from imagegen.catalog import Catalog
from imagegen.diagnostics import Diagnostic, Path
from imagegen.spec import Cluster, Cni, Network

_IPV4 = 4
_PODS: Path = ("network", "podCIDR")
_SERVICES: Path = ("network", "serviceCIDR")
_ALLOCATE = "allocate-node-cidrs"


def check_pod_range(cluster: Cluster, catalog: Catalog) -> Iterator[Diagnostic]:
    """IG205: fewer node-sized pieces in the pod range than there are nodes."""
    if not _allocates(cluster):
        return
    pods = cluster.network.pod_cidr
    mask = _node_mask(cluster, catalog)
    pieces = 1 << (mask - pods.prefixlen) if pods.prefixlen <= mask else 0
    nodes = cluster.control_plane.size + sum(pool.most for pool in cluster.node_pools)
    if pieces < nodes:
        yield Diagnostic(
            code="IG205",
            message=f"the pod range {pods} has room for {pieces} nodes, and the spec has {nodes}",
            hint=f"each node takes a /{mask}",
            path=_PODS,
        )


def check_sizes(cluster: Cluster, catalog: Catalog) -> Iterator[Diagnostic]:
    """IG249: a range larger or smaller than kubeadm takes."""
    if cluster.control_plane.existing:
        return
    facts, network = catalog.ranges, cluster.network
    pods, services = network.pod_cidr, network.service_cidr
    # kubeadm reads the flag of the family alone.
    mask = _node_mask(cluster, catalog, 1)
    widest_pods = mask - facts.pod_mask_difference
    widest_services = services.max_prefixlen - facts.service_bits
    if _allocates(cluster) and pods.prefixlen < widest_pods:
        hint = f"take a /{widest_pods}: each node gets a /{mask} of it (--{_mask_flag(pods, catalog)} changes that)"
        yield _size(f"the pod range {pods} is too large: kubeadm takes no more than a /{widest_pods}", hint, _PODS)
    if pods.num_addresses < facts.pod_addresses:
        message = f"the pod range {pods} is too small: kubeadm wants {facts.pod_addresses} addresses"
        yield _size(message, "each node takes a piece of it", _PODS)
    if services.prefixlen < widest_services:
        message = f"the service range {services} is too large: kubeadm takes no more than a /{widest_services}"
        yield _size(message, f"take a /{widest_services}", _SERVICES)
    if services.num_addresses < facts.service_addresses:
        message = f"the service range {services} is too small: kubeadm wants {facts.service_addresses} addresses"
        yield _size(message, "the API server and DNS have Services of their own", _SERVICES)


def check_families(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG250: ranges of IPv4 and of IPv6 in one cluster that has one of each."""
    network = cluster.network
    services = network.service_cidr
    if network.pod_cidr.version != services.version:
        yield Diagnostic(
            code="IG250",
            message=f"pods have IPv{network.pod_cidr.version} ({network.pod_cidr}), and Services IPv{services.version}"
            f" ({services})",
            hint="pods could not reach Services: take ranges of one family",
            path=_PODS,
        )
    if services.version not in {cidr.version for cidr in network.node_cidrs}:
        yield Diagnostic(
            code="IG250",
            message=f"Services have IPv{services.version} ({services}), and no range in network.nodeCIDRs does",
            hint="kube-apiserver refuses a service range that is not of its own address's family",
            path=_SERVICES,
        )


def check_flannel(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG251: flannel where nodes get no piece of the pod range."""
    if cluster.network.cni is Cni.FLANNEL and not cluster.control_plane.existing and not _allocates(cluster):
        yield Diagnostic(
            code="IG251",
            message=f"flannel takes each node's piece of the pod range, and --{_ALLOCATE}=false gives none",
            hint="leave it out, or take network.cni: none",
            path=("kubeadm", "controllerManager", "extraArgs", _ALLOCATE),
        )


def check_calico(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG288: Calico with pods that have IPv6. IG289: a release of Calico where there is none."""
    network = cluster.network
    if network.cni is not Cni.CALICO:
        if network.calico_version is not None:
            yield Diagnostic(
                code="IG289",
                message=f"calicoVersion is of no use with cni: {network.cni}",
                hint="leave it out, or take cni: calico",
                path=("network", "calicoVersion"),
                on_key=True,
            )
    elif network.pod_cidr.version != _IPV4:
        yield Diagnostic(
            code="IG288",
            message=f"pods have IPv6 ({network.pod_cidr}), and Calico's manifest is for IPv4",
            hint="take a pod range of IPv4; or cni: none, and a manifest of yours",
            path=_PODS,
        )


def check_vpc(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG252: a range that the VPC has already. IG253: nodes outside of the VPC."""
    network = cluster.network
    inner: tuple[tuple[Path, str, Network], ...] = (
        (_PODS, "the pod range", network.pod_cidr),
        (_SERVICES, "the service range", network.service_cidr),
    )
    for path, name, cidr in inner:
        for vpc in network.vpc_cidrs:
            if cidr.version == vpc.version and cidr.overlaps(vpc):
                yield Diagnostic(
                    code="IG252",
                    message=f"{name} {cidr} overlaps the VPC's own {vpc}: nodes could not reach what the VPC has there",
                    hint="take a range outside of the VPC",
                    path=path,
                )
    for number, cidr in enumerate(network.node_cidrs):
        same = [vpc for vpc in network.vpc_cidrs if vpc.version == cidr.version]
        if same and not any(_within(cidr, vpc) for vpc in same):
            yield Diagnostic(
                code="IG253",
                message=f"the node range {cidr} lies outside of the VPC ({', '.join(map(str, same))})",
                hint="nodes have their addresses from vSwitches or subnets of the VPC",
                path=("network", "nodeCIDRs", number),
            )


def _within(inner: Network, outer: Network) -> bool:
    # `subnet_of` is typed for one family at a time.
    return inner.prefixlen >= outer.prefixlen and inner.network_address in outer


def _size(message: str, hint: str, path: Path) -> Diagnostic:
    return Diagnostic(code="IG249", message=message, hint=hint, path=path)


def _allocates(cluster: Cluster) -> bool:
    return cluster.kubeadm.controller_manager.extra_args.get(_ALLOCATE) != "false"


def _node_mask(cluster: Cluster, catalog: Catalog, flags: int | None = None) -> int:
    facts = catalog.ranges.node_masks[cluster.network.pod_cidr.version]
    arguments = cluster.kubeadm.controller_manager.extra_args
    given = (arguments[flag] for flag in facts.flags[:flags] if arguments.get(flag, "").isdecimal())
    return min(int(next(given, facts.default)), cluster.network.pod_cidr.max_prefixlen)


def _mask_flag(pods: Network, catalog: Catalog) -> str:
    return catalog.ranges.node_masks[pods.version].flags[0]
