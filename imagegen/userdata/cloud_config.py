"""A role's plan becomes one cloud-config document."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

from imagegen import yaml_dump
from imagegen.plan import CONTRACT, AdminPlan, RoleKind, RolePlan
from imagegen.userdata.kubeadm import init_documents, join_documents

_STATE = "/var/lib/imagegen"
_HEADER = "#cloud-config\n"
_PRIVATE = "0600"


def render_user_data(role: RolePlan) -> str:
    """The whole user-data of a role, as cloud-init takes it."""
    return _HEADER + yaml_dump.dump(_cloud_config(role))


def _cloud_config(role: RolePlan) -> dict[str, Any]:
    config: dict[str, Any] = {"ssh_pwauth": False, "disable_root": True}
    # Without `users`, cloud-init makes the distribution's default user, with the keys that the cloud hands out.
    if role.admin is not None:
        config["users"] = [_user(role.admin)]
    config["write_files"] = list(_files(role))
    return config


def _user(admin: AdminPlan) -> dict[str, Any]:
    return {
        "name": admin.user,
        "shell": "/bin/bash",
        "sudo": "ALL=(ALL) NOPASSWD:ALL",
        "lock_passwd": True,
        "ssh_authorized_keys": list(admin.ssh_authorized_keys),
    }


def _files(role: RolePlan) -> Iterator[dict[str, str]]:
    yield _file("/etc/imagegen/node.json", json.dumps(_node(role), indent=1) + "\n")
    for name, content in role.runtime_drop_ins.items():
        yield _file(f"/etc/containerd/conf.d/{name}.toml", content)
    if role.kind is RoleKind.CONTROL_PLANE_INIT:
        yield _file(f"{_STATE}/kubeadm.yaml", yaml_dump.dump_all(init_documents(role)), _PRIVATE)
        # For the case that the cluster is there already: a replaced machine runs its user-data again.
        yield _file(f"{_STATE}/kubeadm-join.yaml", yaml_dump.dump_all(join_documents(role)), _PRIVATE)
    else:
        yield _file(f"{_STATE}/kubeadm.yaml", yaml_dump.dump_all(join_documents(role)), _PRIVATE)
    for path, pem in role.pki.items():
        yield _file(f"{_STATE}/pki/{path}", pem, _PRIVATE)


def _node(role: RolePlan) -> dict[str, Any]:
    return {
        "contract": CONTRACT,
        "cluster": role.cluster,
        "role": str(role.kind),
        "pool": role.pool,
        "endpoint": role.kubeadm.endpoint,
        "nodeCIDRs": list(role.node_cidrs),
        "notBefore": role.not_before,
        "cni": {"name": role.cni, "podCIDR": role.kubeadm.pod_cidr},
    }


def _file(path: str, content: str, permissions: str | None = None) -> dict[str, str]:
    entry = {"path": path}
    if permissions:
        entry["permissions"] = permissions
    if _is_plain(content):
        return entry | {"content": content}
    return entry | {"encoding": "b64", "content": b64encode(content.encode()).decode()}


def _is_plain(content: str) -> bool:
    """Whether a YAML literal block gives the text back byte for byte, whoever pastes it."""
    lines = content.split("\n")
    return (
        content.endswith("\n")
        and not content.endswith("\n\n")
        and not content.startswith((" ", "\n"))
        and all(line == line.rstrip() and line.isprintable() and line.isascii() for line in lines)
    )
