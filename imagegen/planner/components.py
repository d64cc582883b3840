"""The control plane's components: further flags, and what they must see of the host."""

from __future__ import annotations

from collections.abc import Mapping

from imagegen.plan import ComponentPlan
from imagegen.planner.files import AUDIT_POLICY, ENCRYPTION_CONFIG
from imagegen.spec import Cluster

_AUDIT_LOG = "/var/log/kubernetes"
_AUDIT_ARGS = {
    "audit-policy-file": AUDIT_POLICY,
    "audit-log-path": f"{_AUDIT_LOG}/audit.log",
    "audit-log-maxage": "30",
    "audit-log-maxbackup": "10",
    "audit-log-maxsize": "100",
}


def plan_components(cluster: Cluster) -> Mapping[str, ComponentPlan]:
    """The components that the spec changes, by their names in ClusterConfiguration."""
    kubeadm = cluster.kubeadm
    plain = {"controllerManager": kubeadm.controller_manager, "scheduler": kubeadm.scheduler, "etcd": kubeadm.etcd}
    planned = {
        name: ComponentPlan(extra_args=component.extra_args, read_only_files={}, writable_folders={})
        for name, component in plain.items()
    }
    planned["apiServer"] = _api_server(cluster)
    return {name: plan for name, plan in planned.items() if plan.extra_args or plan.read_only_files}


def _api_server(cluster: Cluster) -> ComponentPlan:
    arguments: dict[str, str] = {}
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    if cluster.control_plane.audit_policy is not None:
        arguments |= _AUDIT_ARGS
        files["audit-policy"] = AUDIT_POLICY
        folders["audit-log"] = _AUDIT_LOG
    if cluster.control_plane.encrypt_secrets:
        arguments["encryption-provider-config"] = ENCRYPTION_CONFIG
        files["encryption-config"] = ENCRYPTION_CONFIG
    # The user's own flags come last: they win.
    arguments |= cluster.kubeadm.api_server.extra_args
    return ComponentPlan(extra_args=arguments, read_only_files=files, writable_folders=folders)
