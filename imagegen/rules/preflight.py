"""Rules about kubeadm's preflight checks, and what would fail them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imagegen.catalog import Catalog
from imagegen.diagnostics import Diagnostic, Path, Severity
from imagegen.spec import Cluster

_ALL = "all"
_IGNORED: Path = ("kubeadm", "ignorePreflightErrors")
# Compiled where a spec has such a file.
_SETTING = r"(?m)^\s*-?([A-Za-z0-9_./-]+?)\s*=\s*(\S+)\s*$"
_SYSCTL_PLACES = ("/etc/sysctl.conf", "/etc/sysctl.d/", "/usr/lib/sysctl.d/")


def check_ignored(cluster: Cluster, catalog: Catalog) -> Iterator[Diagnostic]:
    """IG257: a check that kubeadm does not have. IG258: `all`, where kubeadm refuses it."""
    names = cluster.kubeadm.ignore_preflight_errors
    known = ", ".join(f"{check}…" if check.endswith("-") else check for check in catalog.preflight_checks)
    facts = catalog.kubernetes_facts(cluster.kubernetes.version)
    for number, name in enumerate(names):
        path: Path = (*_IGNORED, number)
        if name.lower() == _ALL:
            faults = {
                "`all` stands beside single checks": len(names) > 1,
                f"kubeadm {cluster.kubernetes.version} takes no `all` from a configuration file": (
                    facts is not None and not facts.ignore_all
                ),
            }
            for message in [message for message, fault in faults.items() if fault]:
                hint = "kubeadm would refuse its configuration: name the checks that are meant"
                yield Diagnostic(code="IG258", message=message, hint=hint, path=path)
        elif not _is_check(name, catalog.preflight_checks):
            yield Diagnostic(
                code="IG257",
                message=f"kubeadm has no preflight check `{name}`, and would say nothing",
                hint=f"known: {known}",
                severity=Severity.WARNING,
                path=path,
            )


def check_sysctls(cluster: Cluster, catalog: Catalog) -> Iterator[Diagnostic]:
    """IG259: a file takes back a kernel setting that the pod network needs."""
    for number, file in enumerate(cluster.files):
        if not file.path.startswith(_SYSCTL_PLACES):
            continue
        for key, value in re.findall(_SETTING, file.content):
            name = key.replace("/", ".")
            needed = catalog.image.sysctls.get(name) if name.startswith("net.") else None
            if needed is not None and value != needed:
                yield Diagnostic(
                    code="IG259",
                    message=f"`{file.path}` sets {name} to {value}, and Kubernetes needs {needed}",
                    hint="the node would lose its pod network at its next boot, or fail kubeadm's preflight",
                    path=("files", number, "content"),
                )


def _is_check(name: str, checks: tuple[str, ...]) -> bool:
    lower = name.lower()
    return any(lower.startswith(check.lower()) if check.endswith("-") else lower == check.lower() for check in checks)
