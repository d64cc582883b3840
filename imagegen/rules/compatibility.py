"""Rules about what a Kubernetes version wants of the system below it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from imagegen.catalog import Catalog
from imagegen.diagnostics import Diagnostic, Path, Severity
from imagegen.spec import Cluster, KubeProxyMode

_VERSION: Path = ("kubernetes", "version")
_SYSTEM_CHECK = "systemverification"


def check_proxy_mode(cluster: Cluster, catalog: Catalog) -> Iterator[Diagnostic]:
    """IG203: ipvs was chosen where Kubernetes deprecates it. IG240: a mode that cannot work."""
    facts = catalog.kubernetes_facts(cluster.kubernetes.version)
    mode, path = _chosen_mode(cluster)
    if facts is None or not mode:
        return
    if facts.ipvs_deprecated and mode == KubeProxyMode.IPVS:
        yield Diagnostic(
            code="IG203",
            message="kube-proxy's ipvs mode is deprecated since Kubernetes 1.35, and will be removed",
            hint="`nftables` is the successor on kernels from 5.13",
            severity=Severity.WARNING,
            path=path,
        )
    gate, version = facts.proxy_mode_gates.get(mode), cluster.kubernetes.version
    unable = [name for name in cluster.systems if catalog.systems[name].nftables_mode is False]
    faults = {
        f"kube-proxy of Kubernetes {version} has no mode `{mode}`": mode not in facts.proxy_modes,
        f"kube-proxy's mode `{mode}` is alpha in Kubernetes {version}, behind the feature gate {gate}": (
            gate is not None and not _gates(cluster.network.kube_proxy.config).get(gate)
        ),
        **{
            f"kube-proxy's mode `{mode}` does not work on the kernel of {name} ({catalog.systems[name].kernel})": (
                mode == KubeProxyMode.NFTABLES
            )
            for name in unable
        },
    }
    for message in [message for message, fault in faults.items() if fault]:
        hint = f"it would exit; this version has {', '.join(facts.proxy_modes)}"
        yield Diagnostic(code="IG240", message=message, hint=hint, path=path)


def check_cgroup(cluster: Cluster, catalog: Catalog) -> Iterator[Diagnostic]:
    """IG241: a kubelet that does not start on the system's cgroup version."""
    facts = catalog.kubernetes_facts(cluster.kubernetes.version)
    old = [name for name in cluster.systems if catalog.systems[name].cgroup == 1]
    if facts is None or not old:
        return
    version = cluster.kubernetes.version
    refused = cluster.kubelet.config.get("failCgroupV1", facts.fail_cgroup_v1)
    if refused or (facts.fail_cgroup_v1 and not _ignores_system_check(cluster)):
        yield Diagnostic(
            code="IG241",
            message=f"{', '.join(old)} boots with cgroup v1, and Kubernetes {version} refuses that",
            hint="take a system with cgroup v2, or set kubelet.config.failCgroupV1: false"
            " and put SystemVerification into kubeadm.ignorePreflightErrors",
            path=_VERSION,
        )


def check_containerd(cluster: Cluster, catalog: Catalog) -> Iterator[Diagnostic]:
    """IG242: an image's containerd is older than this version wants."""
    facts = catalog.kubernetes_facts(cluster.kubernetes.version)
    versions = dict.fromkeys(image.containerd or catalog.image.containerd for image in cluster.used_images)
    for ours in versions if facts else ():
        least = facts.least_containerd(ours) if facts else None
        if least:
            yield Diagnostic(
                code="IG242",
                message=f"Kubernetes {cluster.kubernetes.version} wants containerd {least}, and the image has {ours}",
                hint=f"image.containerd says another version, the usual one is {catalog.image.containerd}",
                path=_VERSION,
            )


def check_kernel(cluster: Cluster, catalog: Catalog) -> Iterator[Diagnostic]:
    """IG243: a kernel that kubeadm's SystemVerification refuses."""
    facts = catalog.kubernetes_facts(cluster.kubernetes.version)
    kernels = {name: catalog.systems[name].kernel for name in cluster.systems}
    if facts is None or _ignores_system_check(cluster):
        return
    for name in [name for name, kernel in kernels.items() if kernel and not facts.takes_kernel(kernel)]:
        yield Diagnostic(
            code="IG243",
            message=f"kubeadm {cluster.kubernetes.version} refuses the kernel of {name} ({kernels[name]})",
            hint=f"it takes {', '.join(facts.kernels)};"
            " kubeadm.ignorePreflightErrors: [SystemVerification] lets it pass",
            severity=Severity.ERROR if facts.kernel_error else Severity.WARNING,
            path=_VERSION,
        )


def _chosen_mode(cluster: Cluster) -> tuple[str, Path]:
    # What is passed through wins over the key.
    proxy = cluster.network.kube_proxy
    if proxy.config.get("mode"):
        return str(proxy.config["mode"]), ("network", "kubeProxy", "config", "mode")
    return proxy.mode or "", ("network", "kubeProxy", "mode")


def _gates(config: Mapping[str, Any]) -> Mapping[str, Any]:
    gates = config.get("featureGates")
    return gates if isinstance(gates, Mapping) else {}


def _ignores_system_check(cluster: Cluster) -> bool:
    ignored = {name.lower() for name in cluster.kubeadm.ignore_preflight_errors}
    return bool(ignored & {_SYSTEM_CHECK, "all"})
