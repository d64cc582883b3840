"""What user-data writes onto a machine, by role."""

from __future__ import annotations

import json
from typing import Any

from tests.firstboot.authority import Authority
from tests.firstboot.servers import TOKEN_ID

TOKEN = f"{TOKEN_ID}.0123456789abcdef"
KUBEADM_API = "kubeadm.k8s.io/v1beta4"
SA_KEY = "-----BEGIN PRIVATE KEY-----\nc2VydmljZS1hY2NvdW50\n-----END PRIVATE KEY-----\n"
INIT, JOIN, WORKER = "control-plane-init", "control-plane-join", "worker"
SHARED = "control-plane"


def node(role: str, where: str, rendered: str, **changes: object) -> dict[str, Any]:
    return {
        "contract": 1,
        "cluster": "demo",
        "role": role,
        "pool": "workers" if role == WORKER else "control-plane",
        "endpoint": where,
        "nodeName": {"from": "metadata"},
        "nodeCIDRs": ["192.168.0.0/24"],
        "notBefore": rendered,
        "cni": {"name": "flannel", "podCIDR": "10.99.0.0/16"},
        **changes,
    }


def kubeadm_files(role: str, endpoint: str) -> dict[str, list[dict[str, Any]]]:
    if role in {INIT, SHARED}:
        return {"kubeadm.yaml": _init(endpoint), "kubeadm-join.yaml": [_join(endpoint, control_plane=True)]}
    return {"kubeadm.yaml": [_join(endpoint, control_plane=role == JOIN)]}


def pki(role: str, authority: Authority) -> dict[str, str]:
    if role == WORKER:
        return {}
    pairs = {name: text for base in ("ca", "front-proxy-ca", "etcd/ca") for name, text in _pair(base, authority)}
    return {**pairs, "sa.pub": "-----BEGIN PUBLIC KEY-----\n", "sa.key": SA_KEY}


def flannel() -> list[dict[str, Any]]:
    settings = {"Network": "10.244.0.0/16", "EnableNFTables": False, "Backend": {"Type": "vxlan"}}
    data = {"net-conf.json": json.dumps(settings)}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-flannel"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kube-flannel-cfg"}, "data": data},
    ]


def _pair(base: str, authority: Authority) -> list[tuple[str, str]]:
    return [(f"{base}.crt", authority.certificate), (f"{base}.key", authority.key)]


def _init(endpoint: str) -> list[dict[str, Any]]:
    tokens = [{"token": TOKEN, "ttl": "24h0m0s"}]
    return [
        {"apiVersion": KUBEADM_API, "kind": "InitConfiguration", "bootstrapTokens": tokens},
        {"apiVersion": KUBEADM_API, "kind": "ClusterConfiguration", "controlPlaneEndpoint": endpoint},
        {"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration"},
    ]


def _join(endpoint: str, *, control_plane: bool) -> dict[str, Any]:
    discovery = {"token": TOKEN, "apiServerEndpoint": endpoint, "caCertHashes": ["sha256:" + "0" * 64]}
    document = {
        "apiVersion": KUBEADM_API,
        "kind": "JoinConfiguration",
        "discovery": {"bootstrapToken": discovery},
        "nodeRegistration": {"criSocket": "unix:///run/containerd/containerd.sock"},
    }
    return {**document, "controlPlane": {}} if control_plane else document


# What the machine that starts the cluster says, where nothing stands in its way.
OF_THE_FIRST = [
    "phase=wipe status=ok",
    "phase=contract status=ok",
    "phase=runtime status=ok",
    "phase=clock status=ok",
    "phase=settle status=ok",
    "phase=guard status=ok reason=nothing-answers",
    "phase=kubeadm-init status=ok",
    "phase=cni status=ok",
    "phase=admin status=ok",
    "phase=done status=ok",
]
