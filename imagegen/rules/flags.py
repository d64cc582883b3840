"""Rules about flags that a spec passes through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from imagegen.catalog import Catalog
from imagegen.diagnostics import Diagnostic, Path
from imagegen.spec import Cluster


def check_component_flags(cluster: Cluster, catalog: Catalog) -> Iterator[Diagnostic]:
    """IG246: a flag that this version's component exits on. IG247: a flag for what is a key of the spec."""
    version = cluster.kubernetes.version
    for component, path, arguments in _components(cluster):
        removed, keys = catalog.removed_flags(component, version), catalog.components[component].spec_keys
        for flag in arguments:
            if flag in removed:
                yield Diagnostic(
                    code="IG246",
                    message=f"{component} has no flag --{flag} since Kubernetes {removed[flag]}, and would not start",
                    hint="leave it out",
                    path=(*path, flag),
                    on_key=True,
                )
            if flag in keys:
                yield Diagnostic(
                    code="IG247",
                    message=f"--{flag} of {component} comes from {keys[flag]}; the two would disagree",
                    hint=f"set {keys[flag]} instead",
                    path=(*path, flag),
                    on_key=True,
                )


def check_one_machine(cluster: Cluster, catalog: Catalog) -> Iterator[Diagnostic]:
    """IG248: what names one machine, given to all of them."""
    facts = catalog.kubelet.one_machine
    machines = cluster.control_plane.size + sum(pool.most for pool in cluster.node_pools)
    if machines < 2:  # noqa: PLR2004  one machine may have a name
        return
    flags = {flag: value for flag, value in cluster.kubelet.extra_args.items() if flag in facts.flags}
    fields = {key: str(value) for key, value in cluster.kubelet.config.items() if key in facts.fields}
    named: tuple[tuple[str, dict[str, str]], ...] = (("extraArgs", flags), ("config", fields))
    for section, values in named:
        for name, value in values.items():
            if value not in facts.harmless:
                yield Diagnostic(
                    code="IG248",
                    message=f"kubelet.{section} is for every node, and `{name}: {value}` would be the same on all"
                    f" {machines}",
                    hint="leave it out: first boot fills in each machine's own name and address",
                    path=("kubelet", section, name),
                    on_key=True,
                )


def _components(cluster: Cluster) -> tuple[tuple[str, Path, Mapping[str, str]], ...]:
    kubeadm = cluster.kubeadm
    return (
        ("kube-apiserver", ("kubeadm", "apiServer", "extraArgs"), kubeadm.api_server.extra_args),
        (
            "kube-controller-manager",
            ("kubeadm", "controllerManager", "extraArgs"),
            kubeadm.controller_manager.extra_args,
        ),
        ("kube-scheduler", ("kubeadm", "scheduler", "extraArgs"), kubeadm.scheduler.extra_args),
    )
