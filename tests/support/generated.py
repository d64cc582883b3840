"""Specs by the thousand: every feature present or not, drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

Spec = dict[str, Any]

VERSIONS = [f"1.{minor}.2" for minor in range(24, 38)]
POOLS = ["workers", "gpu", "a", "spot-small", "n0"]
_MODES = ["0600", "0640", "0644", "0755"]


def generated_spec(seed: int, certificates: list[str]) -> Spec:
    """One spec; whether all rules let it pass is not promised. `certificates` are those of other CAs."""
    draw = random.Random(seed)  # noqa: S311  chosen, not secret
    pools = draw.sample(POOLS, draw.randint(1, 4))
    data: Spec = {
        "apiVersion": "imagegen/v1alpha1",
        "kind": "Cluster",
        "metadata": {"name": draw.choice(["demo", "c1", "a-longer-name-of-a-cluster"])},
        "provider": {"type": draw.choice(["qemu", "aws", "aws", "alicloud"]), "region": "eu-west-1"},
        "kubernetes": {"version": draw.choice(VERSIONS)},
        "image": {"os": draw.choice(["debian-12", "debian-13"])},
        "network": {"nodeCIDRs": ["192.168.0.0/24"], "cni": draw.choice(["flannel", "none"])},
        "controlPlane": _control_plane(draw, certificates),
        "nodePools": [_pool(draw, number, name) for number, name in enumerate(pools)],
    }
    if data["provider"]["type"] == "qemu":
        del data["provider"]["region"]
        data["network"] |= {"gateway": "192.168.0.1", "nameservers": ["192.168.0.1"]}
    for name, make in _SECTIONS.items():
        if draw.random() < 0.4:
            data[name] = make(draw, [*pools, "control-plane"], certificates)
    return data


def _control_plane(draw: random.Random, certificates: list[str]) -> Spec:
    if draw.random() < 0.15:
        several = draw.sample(certificates, draw.randint(1, len(certificates)))
        return {"existing": {"endpoint": "192.168.0.250:6443", "caCertificate": "".join(several)}}
    count = draw.choice([1, 1, 3, 5])
    plane: Spec = {"endpoint": draw.choice(["192.168.0.250:6443", "api.example.com:6443"])}
    if draw.random() < 0.6:
        plane["nodes"] = _nodes("cp", 10, count)
    else:
        plane["replicas"] = count
    if draw.random() < 0.3:
        plane["userData"] = "shared"
        if "nodes" not in plane or draw.random() < 0.3:
            plane["firstNode"] = draw.choice(["cp-0", "192.168.0.10"])
    if draw.random() < 0.5:
        plane["encryptSecrets"] = draw.random() < 0.8
    if draw.random() < 0.3:
        plane["auditPolicy"] = {"rules": [{"level": draw.choice(["None", "Metadata", "RequestResponse"])}]}
    if draw.random() < 0.3:
        plane["certSANs"] = ["10.0.0.1", "api.example.org"]
    if draw.random() < 0.2:
        plane["disks"] = [{"device": "/dev/vdb", "mountPath": "/var/lib/etcd"}]
    return plane


def _pool(draw: random.Random, number: int, name: str) -> Spec:
    pool: Spec = {"name": name}
    if draw.random() < 0.5:
        pool["nodes"] = _nodes(name, 50 + 10 * number, draw.randint(1, 3))
    elif draw.random() < 0.5:
        pool["replicas"] = draw.randint(0, 40)
    elif draw.random() < 0.5:
        pool["scaling"] = {"min": 1, "max": 9}
    if draw.random() < 0.3:
        pool["labels"] = {"example.com/kind": name}
    if draw.random() < 0.3:
        pool["taints"] = [{"key": "only", "value": name, "effect": "NoSchedule"}]
    if draw.random() < 0.2:
        pool["disks"] = [{"device": "/dev/vdb", "mountPath": "/data", "filesystem": "xfs"}]
    return pool


def _nodes(name: str, first: int, count: int) -> list[Spec]:
    return [{"name": f"{name}-{number}", "address": f"192.168.0.{first + number}"} for number in range(count)]


def _kubeadm(draw: random.Random, _: list[str], __: list[str]) -> Spec:
    kubeadm: Spec = {"encryptionAlgorithm": draw.choice(["ECDSA-P256", "RSA-2048"])}
    if draw.random() < 0.4:
        kubeadm["patches"] = {"kube-controller-manager0+merge.yaml": "metadata:\n  labels:\n    a: b\n"}
    for name in ("apiServer", "controllerManager", "etcd"):
        if draw.random() < 0.3:
            kubeadm[name] = {"extraArgs": {"v": str(draw.randint(0, 9))}}
    return kubeadm


def _files(draw: random.Random, scopes: list[str], _: list[str]) -> list[Spec]:
    """Small ones, those that need base64, and large ones that make user-data too big to travel in plain."""
    contents = [
        "hello\n",
        "no end of line",
        "tab\t and ä 🎈\n",
        "line of a file that compresses well\n" * draw.choice([300, 700]),
        "\n".join(f"{draw.getrandbits(64):x}" for _ in range(draw.choice([10, 500]))) + "\n",
    ]
    return [
        {
            "path": f"/etc/generated/{number}",
            "content": draw.choice(contents),
            "permissions": draw.choice(_MODES),
            "roles": draw.sample(scopes, draw.randint(0, len(scopes))),
        }
        for number in range(draw.randint(1, 4))
    ]


def _registries(draw: random.Random, _: list[str], certificates: list[str]) -> list[Spec]:
    registry: Spec = {"host": draw.choice(["docker.io", "_default", "registry.example.com:5000"])}
    registry["mirrors"] = ["https://mirror.example.com"]
    if draw.random() < 0.7:
        registry["caCertificate"] = "".join(draw.sample(certificates, draw.randint(1, 2)))
    return [registry]


_SECTIONS: dict[str, Callable[[random.Random, list[str], list[str]], Any]] = {
    "kubeadm": _kubeadm,
    "files": _files,
    "registries": _registries,
    "trustedCAs": lambda draw, _, certificates: draw.sample(certificates, 1),
    "proxy": lambda *_: {"https": "http://proxy.example.com:3128", "noProxy": [".example.com"]},
    "time": lambda draw, *_: {"servers": ["ntp.example.com"], "serve": draw.random() < 0.5},
    "admin": lambda *_: {"sshAuthorizedKeys": ["ssh-ed25519 AAAA someone@example.com"]},
    "runtime": lambda *_: {"dropIns": {"50-x": "[debug]\n  level = 'info'\n"}},
    "kubelet": lambda *_: {"config": {"maxPods": 64}, "extraArgs": {"v": "4"}},
    "bootstrap": lambda draw, *_: {"tokenTTL": draw.choice(["1h", "24h", "0s"])},
}
