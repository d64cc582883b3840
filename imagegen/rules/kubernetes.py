"""Rules about the Kubernetes version and what it can do."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imagegen.catalog import Catalog
from imagegen.diagnostics import Diagnostic, Severity
from imagegen.spec import Cluster, TokenRenewal

_FOR_EVER = re.compile(r"(0+[hms])+")


def check_version(cluster: Cluster, catalog: Catalog) -> Iterator[Diagnostic]:
    """IG201: the version is not in the catalog. IG202: it gets no more fixes."""
    versions = {"": cluster.kubernetes.version}
    versions |= {name: image.kubernetes.version for name, image in cluster.images.items() if image.kubernetes.version}
    path = ("kubernetes", "version")
    for image, version in versions.items():
        facts = catalog.kubernetes_facts(version)
        if facts is None:
            known = f"{catalog.minors[0]} to {catalog.minors[-1]}"
            message = f"Kubernetes {version} is not supported"
            yield Diagnostic(code="IG201", message=message, hint=f"known: {known}", path=path, image=image)
        elif not facts.supported:
            yield Diagnostic(
                code="IG202",
                message=f"Kubernetes {version} is out of support: it gets no more security fixes",
                hint=f"newest known minor: {catalog.minors[-1]}",
                severity=Severity.WARNING,
                path=path,
                image=image,
            )


def check_kubelet_flags(cluster: Cluster, catalog: Catalog) -> Iterator[Diagnostic]:
    """IG215: a flag that this version's kubelet exits on."""
    removed = catalog.removed_kubelet_flags(cluster.kubernetes.version)
    for flag in cluster.kubelet.extra_args:
        if flag in removed:
            yield Diagnostic(
                code="IG215",
                message=f"the kubelet has no flag --{flag} since Kubernetes {removed[flag]}, and would not start",
                hint="leave it out",
                path=("kubelet", "extraArgs", flag),
                on_key=True,
            )


def check_labels(cluster: Cluster, catalog: Catalog) -> Iterator[Diagnostic]:
    """IG216: a label that a kubelet may not set."""
    for number, pool in enumerate(cluster.node_pools):
        for key in pool.labels:
            if catalog.kubelet.refuses_label(key):
                yield Diagnostic(
                    code="IG216",
                    message=f"a kubelet may not give itself the label `{key}`, and would not start",
                    hint="choose a prefix of your own, or `node.kubernetes.io/`; roles are set with kubectl label",
                    path=("nodePools", number, "labels", key),
                    on_key=True,
                )


def check_token_ttl(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG217: tokens that never expire."""
    if _FOR_EVER.fullmatch(cluster.bootstrap.token_ttl):
        yield Diagnostic(
            code="IG217",
            message="the bootstrap tokens never expire: whoever ever saw user-data can join the cluster",
            hint="a finite TTL, renewed when machines are to be added, is safer",
            severity=Severity.WARNING,
            path=("bootstrap", "tokenTTL"),
        )


def check_renewal(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG227: an autoscaled pool whose token expires with nobody to renew it."""
    bootstrap = cluster.bootstrap
    if _FOR_EVER.fullmatch(bootstrap.token_ttl) or bootstrap.token_renewal is TokenRenewal.SCHEDULED:
        return
    for number, pool in enumerate(cluster.node_pools):
        if pool.scaling:
            yield Diagnostic(
                code="IG227",
                message=f"{bootstrap.token_ttl} after init, new machines of the autoscaled `{pool.name}` cannot join",
                hint="run `imagegen token renew` on a schedule, and say so: bootstrap.tokenRenewal: scheduled",
                severity=Severity.WARNING,
                path=("nodePools", number, "scaling"),
                on_key=True,
            )
