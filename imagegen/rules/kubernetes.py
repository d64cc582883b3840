"""Rules about the Kubernetes version and what it can do."""

from __future__ import annotations

from collections.abc import Iterator

from imagegen.catalog import Catalog
from imagegen.diagnostics import Diagnostic, Severity
from imagegen.spec import Cluster, KubeProxyMode


def check_version(cluster: Cluster, catalog: Catalog) -> Iterator[Diagnostic]:
    """IG201: the version is not in the catalog. IG202: it gets no more fixes."""
    version = cluster.kubernetes.version
    facts = catalog.kubernetes_facts(version)
    path = ("kubernetes", "version")
    if facts is None:
        known = f"{catalog.minors[0]} to {catalog.minors[-1]}"
        yield Diagnostic(
            code="IG201", message=f"Kubernetes {version} is not supported", hint=f"known: {known}", path=path
        )
    elif not facts.supported:
        yield Diagnostic(
            code="IG202",
            message=f"Kubernetes {version} is out of support: it gets no more security fixes",
            hint=f"newest known minor: {catalog.minors[-1]}",
            severity=Severity.WARNING,
            path=path,
        )


def check_proxy_mode(cluster: Cluster, catalog: Catalog) -> Iterator[Diagnostic]:
    """IG203: ipvs was chosen where Kubernetes deprecates it."""
    facts = catalog.kubernetes_facts(cluster.kubernetes.version)
    if facts and facts.ipvs_deprecated and cluster.network.kube_proxy.mode is KubeProxyMode.IPVS:
        yield Diagnostic(
            code="IG203",
            message="kube-proxy's ipvs mode is deprecated since Kubernetes 1.35, and will be removed",
            hint="`nftables` is the successor on kernels from 5.13",
            severity=Severity.WARNING,
            path=("network", "kubeProxy", "mode"),
        )
