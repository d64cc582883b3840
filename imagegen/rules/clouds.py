"""Rules about what a cloud and its autoscaler do."""

from __future__ import annotations

from collections.abc import Iterator

from imagegen.catalog import Catalog
from imagegen.diagnostics import Diagnostic, Path, Severity
from imagegen.spec import Cluster, HttpTokens, MetadataAccess, Taint, read_address, split_endpoint

_TOKENS: Path = ("provider", "metadataOptions", "httpTokens")
_KEEPS_AWAY = ("NoSchedule", "NoExecute")


def check_metadata(cluster: Cluster, catalog: Catalog) -> Iterator[Diagnostic]:
    """IG254: a metadata service that first boot could not read, or that there is not."""
    tokens = cluster.provider.metadata_options.http_tokens
    provider = catalog.providers[cluster.provider.type]
    versions = {name: catalog.systems[name].cloud_init for name in cluster.systems}
    if tokens is None:
        return
    if not provider.http_tokens:
        yield Diagnostic(
            code="IG254",
            message=f"{cluster.provider.type} has no metadata service with tokens",
            hint="leave it out",
            path=_TOKENS,
        )
    required = tokens is HttpTokens.REQUIRED
    for name in [name for name in versions if required and provider.tokens_too_new_for(versions[name])]:
        yield Diagnostic(
            code="IG254",
            message=f"cloud-init {versions[name]} of {name} asks {cluster.provider.type}'s metadata"
            " service for no token: it would get no user-data",
            hint=f"take `optional`, or a system with cloud-init {provider.http_tokens} or newer",
            path=_TOKENS,
        )


def check_metadata_access(cluster: Cluster, catalog: Catalog) -> Iterator[Diagnostic]:
    """IG284: pods are to be kept from a metadata service that nobody knows of."""
    options, provider = cluster.provider.metadata_options, cluster.provider.type
    if options.addresses or catalog.providers[provider].metadata:
        return
    pools = ((("nodePools", number), pool.metadata_access) for number, pool in enumerate(cluster.node_pools))
    for place, access in ((("controlPlane",), cluster.control_plane.metadata_access), *pools):
        if access is MetadataAccess.HOST:
            yield Diagnostic(
                code="IG284",
                message=f"{provider} has no metadata service that pods could be kept from",
                hint="leave it out; or say where there is one: provider.metadataOptions.addresses",
                path=(*place, "metadataAccess"),
            )


def check_metadata_addresses(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG285: what is called a metadata service is the cluster's own."""
    network = cluster.network
    ranges = [("the pod range", network.pod_cidr), ("the service range", network.service_cidr)]
    ranges += [("a node range", cidr) for cidr in network.node_cidrs]
    endpoint = read_address(split_endpoint(cluster.control_plane.address)[0]) if cluster.control_plane.address else None
    for number, address in enumerate(cluster.provider.metadata_options.addresses):
        owners = [f"lies in {name} {cidr}" for name, cidr in ranges if address in cidr]
        owners += ["is the endpoint"] if address == endpoint else []
        for owner in owners[:1]:
            yield Diagnostic(
                code="IG285",
                message=f"{address} {owner}: pods would be kept from a part of the cluster",
                hint="name the address at which the cloud hands out user-data",
                path=("provider", "metadataOptions", "addresses", number),
            )


def check_scaling_from_zero(cluster: Cluster, catalog: Catalog) -> Iterator[Diagnostic]:
    """IG255: an autoscaler that does not know of a pool's taints while the pool is empty."""
    tag = catalog.providers[cluster.provider.type].node_template_taint
    for number, pool in enumerate(cluster.node_pools):
        taints = [taint for taint in pool.taints if taint.effect in _KEEPS_AWAY]
        told = pool.scaling and pool.scaling.node_template_tags and tag
        if tag is None or not pool.scaling or pool.scaling.min or not taints or told:
            continue
        tags = ", ".join(f"`{tag}{taint.key}` = `{_tag_value(taint)}`" for taint in taints)
        yield Diagnostic(
            code="IG255",
            message=f"while the tainted pool `{pool.name}` is empty, cluster-autoscaler does not know its taints, and"
            " makes machines for pods that they keep away",
            hint=f"tag the scaling group {tags}, and say so: nodeTemplateTags: true"
            if tag
            else f"cluster-autoscaler for {cluster.provider.type} takes no taints from tags: keep scaling.min at 1",
            severity=Severity.WARNING,
            path=("nodePools", number, "scaling", "min"),
        )


def _tag_value(taint: Taint) -> str:
    return f"{taint.value}:{taint.effect}"
