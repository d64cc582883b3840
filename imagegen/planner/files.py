"""The files on a node beside kubeadm's own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from imagegen.bundle import CONTROL_PLANE, Authorities, Bundle
from imagegen.plan import FilePlan, RoleKind
from imagegen.planner.hooks import plan_hooks
from imagegen.planner.signing import needs_signing_file, signing_files
from imagegen.spec import Cluster, EtcdSnapshots, Proxy, split_endpoint

AUDIT_POLICY = "/etc/kubernetes/audit-policy.yaml"
ENCRYPTION_CONFIG = "/etc/kubernetes/encryption-config.yaml"
PATCHES = "/etc/kubernetes/patches"
SNAPSHOTS = "/etc/imagegen/etcd-snapshots.json"
_PRIVATE = "0600"
_SECONDS = {"m": 60, "h": 3600}
# The machine itself, and the metadata services of the clouds (their own documentation).
_ALWAYS_DIRECT = ("localhost", "127.0.0.1", "169.254.169.254", "100.100.100.200")


def plan_files(cluster: Cluster, bundle: Bundle, kind: RoleKind, pool: str) -> tuple[FilePlan, ...]:
    """All files of a role that are not kubeadm's configuration or PKI."""
    return tuple(_files(cluster, bundle, kind, pool))


def _files(cluster: Cluster, bundle: Bundle, kind: RoleKind, pool: str) -> Iterator[FilePlan]:
    if cluster.proxy is not None:
        yield FilePlan(path="/etc/imagegen/proxy.env", content=_proxy(cluster, cluster.proxy))
    for name, content in cluster.runtime.drop_ins.items():
        yield FilePlan(path=f"/etc/containerd/conf.d/{name}.toml", content=content)
    if cluster.fixed_nodes:
        lines = (f"{node.address} {node.name}\n" for node in cluster.fixed_nodes)
        yield FilePlan(path="/etc/hosts", content="".join(lines), append=True)
    for name, content in cluster.kubeadm.patches.items():
        yield FilePlan(path=f"{PATCHES}/{name}", content=content)
    if kind is not RoleKind.WORKER and bundle.authorities:
        yield from _control_plane_files(cluster, bundle.authorities)
        if needs_signing_file(cluster, bundle):
            yield from signing_files(bundle.authorities.cluster_ca.certificate, PATCHES)
    scope = CONTROL_PLANE if kind is not RoleKind.WORKER else pool
    yield from plan_hooks(cluster, scope)
    for file in cluster.files:
        if not file.roles or scope in file.roles:
            yield FilePlan(path=file.path, content=file.content, mode=file.permissions)


def _proxy(cluster: Cluster, proxy: Proxy) -> str:
    network = cluster.network
    ranges = (*network.node_cidrs, network.pod_cidr, network.service_cidr)
    direct = (
        *_ALWAYS_DIRECT,
        *(str(cidr) for cidr in ranges),
        split_endpoint(cluster.control_plane.address)[0],
        ".svc",
        f".{network.dns_domain}",
        *proxy.no_proxy,
    )
    values = {"HTTP_PROXY": proxy.http, "HTTPS_PROXY": proxy.https, "NO_PROXY": ",".join(direct)}
    return "".join(f"{name}={value}\n" for name, value in values.items() if value)


def _control_plane_files(cluster: Cluster, authorities: Authorities) -> Iterator[FilePlan]:
    if cluster.control_plane.audit_policy is not None:
        header = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy"}
        yield FilePlan(path=AUDIT_POLICY, content=header | dict(cluster.control_plane.audit_policy), mode=_PRIVATE)
    if cluster.control_plane.encrypt_secrets:
        yield FilePlan(path=ENCRYPTION_CONFIG, content=_encryption(authorities.encryption_key), mode=_PRIVATE)
    if cluster.control_plane.etcd_snapshots is not None:
        yield FilePlan(path=SNAPSHOTS, content=_snapshots(cluster.control_plane.etcd_snapshots))


def _snapshots(snapshots: EtcdSnapshots) -> str:
    seconds = int(snapshots.interval[:-1]) * _SECONDS[snapshots.interval[-1]]
    settings = {"seconds": seconds, "keep": snapshots.keep, "directory": snapshots.directory}
    return json.dumps(settings, indent=1) + "\n"


def _encryption(key: str) -> Mapping[str, Any]:
    # `identity` comes last: what was written before is still read.
    providers = [{"secretbox": {"keys": [{"name": "key1", "secret": key}]}}, {"identity": {}}]
    return {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "EncryptionConfiguration",
        "resources": [{"resources": ["secrets"], "providers": providers}],
    }
