"""Rules about the files that a spec puts on nodes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from posixpath import normpath

from imagegen.bundle import CONTROL_PLANE
from imagegen.catalog import Catalog
from imagegen.diagnostics import Diagnostic
from imagegen.spec import Cluster

# What kubeadm writes itself, refuses to find (its preflight checks), or empties before a retry (`kubeadm reset`);
# and what is imagegen's own.
_MANAGED = (
    "/etc/kubernetes/pki",
    "/etc/kubernetes/manifests",
    "/etc/kubernetes/signing-ca.crt",
    "/etc/kubernetes/admin.conf",
    "/etc/kubernetes/super-admin.conf",
    "/etc/kubernetes/kubelet.conf",
    "/etc/kubernetes/bootstrap-kubelet.conf",
    "/etc/kubernetes/controller-manager.conf",
    "/etc/kubernetes/scheduler.conf",
    "/etc/kubernetes/audit-policy.yaml",
    "/etc/kubernetes/credential-provider-config.yaml",
    "/etc/kubernetes/encryption-config.yaml",
    "/var/lib/etcd",
    "/var/lib/kubelet",
    "/etc/imagegen",
    "/var/lib/imagegen",
    "/var/lib/cloud",
)


def check_managed_files(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG218: a file where kubeadm or imagegen rule. IG219: a path that is no plain path."""
    for number, file in enumerate(cluster.files):
        path = PurePosixPath(file.path)
        plain = normpath(file.path)
        if plain != file.path:
            message = f"`{file.path}` is not a plain path; `{plain}` might be meant"
            yield Diagnostic(code="IG219", message=message, path=("files", number, "path"))
        for managed in _MANAGED:
            if path.is_relative_to(managed):
                yield Diagnostic(
                    code="IG218",
                    message=f"`{file.path}` lies where kubeadm or imagegen rule ({managed})",
                    hint="kubeadm.patches, extraArgs or the pass-through configurations change what is there",
                    path=("files", number, "path"),
                )


def check_file_roles(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG220: a file for a role that there is not. IG221: two files of one role with one path."""
    known = {CONTROL_PLANE, *(pool.name for pool in cluster.node_pools)}
    seen: set[tuple[str, str]] = set()
    for number, file in enumerate(cluster.files):
        for place, role in enumerate(file.roles):
            if role not in known:
                message = f"there is no pool `{role}`"
                hint = f"known: {', '.join(sorted(known))}"
                yield Diagnostic(code="IG220", message=message, hint=hint, path=("files", number, "roles", place))
        targets = {(file.path, role) for role in file.roles or known}
        if targets & seen:
            message = f"`{file.path}` is written twice on one node"
            yield Diagnostic(code="IG221", message=message, path=("files", number, "path"))
        seen |= targets
