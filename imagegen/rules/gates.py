"""Rules about feature gates, wherever a spec sets them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from imagegen.catalog import Catalog
from imagegen.diagnostics import Diagnostic, Path
from imagegen.spec import Cluster

_FLAG = "feature-gates"


def check_gates(cluster: Cluster, catalog: Catalog) -> Iterator[Diagnostic]:
    """IG244: a feature gate that this version does not know. IG245: a value that it does not take."""
    version = cluster.kubernetes.version
    for component, path, gate, value in _gates(cluster):
        facts = catalog.feature_gates
        removed, added = facts.removed_in(gate, version), facts.added_in(gate, version)
        if removed or added:
            yield Diagnostic(
                code="IG244",
                message=f"the {component} of Kubernetes {version} does not know the feature gate {gate},"
                " and would not start",
                hint=f"it went with {removed}, whose release notes say what became of it: leave it out"
                if removed
                else f"it comes with {added}",
                path=path,
                on_key=path[-1] == gate,
            )
        elif (locked := facts.locked_to(gate, version)) is not None and value is not locked:
            yield Diagnostic(
                code="IG245",
                message=f"the feature gate {gate} is locked to {str(locked).lower()} in Kubernetes {version},"
                f" and the {component} would not start",
                hint="leave it out",
                path=path,
                on_key=path[-1] == gate,
            )


def _gates(cluster: Cluster) -> Iterator[tuple[str, Path, str, object]]:
    kubeadm = cluster.kubeadm
    configs: tuple[tuple[str, Path, Mapping[str, Any]], ...] = (
        ("kubelet", ("kubelet", "config"), cluster.kubelet.config),
        ("kube-proxy", ("network", "kubeProxy", "config"), cluster.network.kube_proxy.config),
    )
    for component, path, config in configs:
        gates = config.get("featureGates")
        for gate, value in gates.items() if isinstance(gates, Mapping) else ():
            yield component, (*path, "featureGates", gate), gate, value
    flags: tuple[tuple[str, Path, Mapping[str, str]], ...] = (
        ("kubelet", ("kubelet",), cluster.kubelet.extra_args),
        ("kube-apiserver", ("kubeadm", "apiServer"), kubeadm.api_server.extra_args),
        ("kube-controller-manager", ("kubeadm", "controllerManager"), kubeadm.controller_manager.extra_args),
        ("kube-scheduler", ("kubeadm", "scheduler"), kubeadm.scheduler.extra_args),
    )
    for component, path, arguments in flags:
        for item in filter(None, arguments.get(_FLAG, "").split(",")):
            gate, _, text = item.strip().partition("=")
            yield component, (*path, "extraArgs", _FLAG), gate, _TRUTH.get(text.strip().lower())


# What Go's strconv.ParseBool takes; anything else is refused by the component for itself.
_TRUTH = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
