"""A role's files: what cloud-init's write_files takes."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any

from imagegen import templating, yaml_dump
from imagegen.plan import CONTRACT, FilePlan, KeepalivedPlan, RegistryPlan, RoleKind, RolePlan, TimePlan
from imagegen.userdata.kubeadm import init_documents, join_documents

_STATE = "/var/lib/imagegen"
_CERTS = "/etc/containerd/certs.d"
_PRIVATE = "0600"
# What keeps the endpoint on control planes, with the modes of these files.
_BALANCER = {
    "etc/haproxy/haproxy.cfg": "0644",
    "etc/keepalived/keepalived.conf": "0644",
    "etc/keepalived/check-haproxy": "0755",
}
# Docker's own registry answers under another name than its images carry (containerd's docs/hosts.md).
_SERVERS = {"docker.io": "https://registry-1.docker.io", "_default": ""}


def list_files(role: RolePlan, templates: Mapping[str, str]) -> tuple[FilePlan, ...]:
    """All files of a role, in the order in which they are written."""
    return tuple(_files(role, templates))


def write_files(files: tuple[FilePlan, ...], *, packed: bool) -> list[dict[str, Any]]:
    """Their entries; `packed`: compressed where that makes them smaller."""
    return [_entry(file, packed=packed) for file in files]


def file_sizes(files: tuple[FilePlan, ...], *, packed: bool) -> tuple[tuple[str, int], ...]:
    """The bytes that each file takes in the user-data, by path."""
    return tuple((entry["path"], len(yaml_dump.dump([entry]))) for entry in write_files(files, packed=packed))


def _files(role: RolePlan, templates: Mapping[str, str]) -> Iterator[FilePlan]:
    yield FilePlan(path="/etc/imagegen/node.json", content=json.dumps(_node(role), indent=1) + "\n")
    for registry in role.registries:
        yield from _registry(registry, templates)
    if role.time is not None:
        yield from _time(role.time, templates)
    if role.keepalived is not None:
        yield from _keepalived(role.keepalived, templates)
    yield from role.files
    yield from _kubeadm(role)
    for path, pem in role.pki.items():
        yield FilePlan(path=f"{_STATE}/pki/{path}", content=pem, mode=_PRIVATE)


def _kubeadm(role: RolePlan) -> Iterator[FilePlan]:
    join = yaml_dump.dump_all(join_documents(role))
    if role.kind.may_initialise:
        init = yaml_dump.dump_all(init_documents(role))
        yield FilePlan(path=f"{_STATE}/kubeadm.yaml", content=init, mode=_PRIVATE)
        # For the case that the cluster is there already: a replaced machine runs its user-data again.
        yield FilePlan(path=f"{_STATE}/kubeadm-join.yaml", content=join, mode=_PRIVATE)
    else:
        yield FilePlan(path=f"{_STATE}/kubeadm.yaml", content=join, mode=_PRIVATE)


def _node(role: RolePlan) -> dict[str, Any]:
    prefix = role.node_name.prefix
    return {
        "contract": CONTRACT,
        "cluster": role.cluster,
        "role": str(role.kind),
        "pool": role.pool,
        "nodeName": {"from": role.node_name.source} | ({"prefix": prefix} if prefix else {}),
        "endpoint": role.kubeadm.endpoint,
        "nodeCIDRs": list(role.node_cidrs),
        "notBefore": role.not_before,
        "cni": {"name": role.cni, "podCIDR": role.kubeadm.pod_cidr},
        **({"admin": role.admin.user} if role.admin and role.kind is not RoleKind.WORKER else {}),
        **({"firstNode": list(role.first_node)} if role.first_node else {}),
        **({"hairpin": "local"} if role.hairpin else {}),
        **({} if role.renews or role.kind is RoleKind.WORKER else {"certificateRenewal": "none"}),
        **({"kubeVip": {"initKubeconfig": role.kube_vip_init}} if role.kube_vip_init else {}),
        **({"keepalived": {"controlPlanes": list(role.keepalived.planes.values())}} if role.keepalived else {}),
    }


def _registry(registry: RegistryPlan, templates: Mapping[str, str]) -> Iterator[FilePlan]:
    folder = f"{_CERTS}/{registry.host}"
    authority = f"{folder}/ca.crt" if registry.ca_certificate else ""
    values = {
        "server": _SERVERS.get(registry.host, f"https://{registry.host}"),
        "mirrors": registry.mirrors,
        "ca": authority,
    }
    hosts = templating.render(templates["common/etc/containerd/certs.d/hosts.toml"], values)
    yield FilePlan(path=f"{folder}/hosts.toml", content=hosts)
    if registry.ca_certificate:
        yield FilePlan(path=authority, content=registry.ca_certificate)


def _time(plan: TimePlan, templates: Mapping[str, str]) -> Iterator[FilePlan]:
    if plan.servers:
        path = "etc/chrony/sources.d/imagegen.sources"
        content = templating.render(templates[f"common/{path}"], {"servers": plan.servers})
        yield FilePlan(path=f"/{path}", content=content)
    if plan.serve_to:
        path = "etc/chrony/conf.d/imagegen.conf"
        content = templating.render(templates[f"common/{path}"], {"networks": plan.serve_to})
        yield FilePlan(path=f"/{path}", content=content)


def _keepalived(plan: KeepalivedPlan, templates: Mapping[str, str]) -> Iterator[FilePlan]:
    values = {
        "address": plan.address,
        "everywhere": plan.everywhere,
        "port": plan.port,
        "api_port": plan.api_port,
        "virtual_router_id": plan.virtual_router_id,
        "planes": [(name, f"[{host}]" if ":" in host else host) for name, host in plan.planes.items()],
    }
    for path, mode in _BALANCER.items():
        content = templating.render(templates[f"control-plane/{path}"], values)
        yield FilePlan(path=f"/{path}", content=content, mode=mode)


def _entry(file: FilePlan, *, packed: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {"path": file.path}
    if file.mode != "0644":
        entry["permissions"] = file.mode
    if file.append:
        entry["append"] = True
    content = file.content if isinstance(file.content, str) else yaml_dump.dump(dict(file.content))
    readable = {"content": content} if _is_plain(content) else _encoded("b64", content.encode())
    if not packed:
        return entry | readable
    # `mtime=0`: the time must not get into the bytes.
    smallest = _encoded("gz+b64", gzip.compress(content.encode(), 9, mtime=0))
    return entry | (smallest if len(smallest["content"]) < len(readable["content"]) else readable)


def _encoded(encoding: str, content: bytes) -> dict[str, str]:
    return {"encoding": encoding, "content": b64encode(content).decode()}


def _is_plain(content: str) -> bool:
    """Whether a YAML literal block gives the text back byte for byte, whoever pastes it."""
    lines = content.split("\n")
    return (
        content.endswith("\n")
        and not content.endswith("\n\n")
        and not content.startswith((" ", "\n"))
        and all(line == line.rstrip() and line.isprintable() and line.isascii() for line in lines)
    )
