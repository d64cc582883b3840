"""What machines that share this host's kernel need of the spec: each setting with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from imagegen.spec import Cluster, KubeProxyMode

DROP_IN = "10-local"
_OOM = "restrict_oom_score_adj"
# The CRI plugin's table by the version of containerd's configuration (its docs/cri/config.md).
_OOM_TABLES = {2: 'plugins."io.containerd.grpc.v1.cri"', 3: "plugins.'io.containerd.cri.v1.runtime'"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What of this host its containers meet; `unified`: control groups of version 2."""

    unified: bool
    lowers_oom_scores: bool
    swaps: bool
    proxy_modes: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """A setting that the spec lacks, as it would stand there, and why this host wants it."""

    reason: str
    setting: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A spec whose defaults are decided, its containerd's configuration version, the host."""

    cluster: Cluster
    config_version: int
    host: Host


def find_needs(asked: Asked) -> tuple[Need, ...]:
    """Everything that is missing; nothing of what the spec has already."""
    return tuple(need for check in _CHECKS if (need := check(asked)) is not None)


def _oom_scores(asked: Asked) -> Need | None:
    if asked.host.lowers_oom_scores or any(
        f"{_OOM} = true" in text for text in asked.cluster.runtime.drop_ins.values()
    ):
        return None
    table = _OOM_TABLES[asked.config_version]
    text = f"version = {asked.config_version}\n\n[{table}]\n  {_OOM} = true\n"
    return Need(
        reason="nobody here may lower an OOM score (CAP_SYS_RESOURCE), and each sandbox of a pod asks for -998",
        setting={"runtime": {"dropIns": {DROP_IN: text}}},
    )


def _cgroups(asked: Asked) -> Need | None:
    if asked.host.unified or asked.cluster.kubelet.config.get("failCgroupV1", False) is False:
        return None
    return Need(
        reason="this host has control groups of version 1, on which the kubelet does not start by itself from 1.35 on",
        setting={"kubelet": {"config": {"failCgroupV1": False}}},
    )


def _swap(asked: Asked) -> Need | None:
    if not asked.host.swaps or asked.cluster.kubelet.config.get("failSwapOn") is False:
        return None
    return Need(
        reason="this host swaps, and a kubelet does not start beside that by itself",
        setting={"kubelet": {"config": {"failSwapOn": False}}},
    )


def _kernel(asked: Asked) -> Need | None:
    ignored = asked.cluster.kubeadm.ignore_preflight_errors
    if {"SystemVerification", "all"} & set(ignored):
        return None
    return Need(
        reason="kubeadm examines the machine's kernel, and this host's is not the one that the image was made for",
        setting={"kubeadm": {"ignorePreflightErrors": [*ignored, "SystemVerification"]}},
    )


def _connections(asked: Asked) -> Need | None:
    conntrack = asked.cluster.network.kube_proxy.config.get("conntrack", {})
    if conntrack.get("maxPerCore") == 0:
        return None
    return Need(
        reason="the size of the connection table is the host's: kube-proxy must not set it",
        setting={"network": {"kubeProxy": {"config": {"conntrack": {"maxPerCore": 0}}}}},
    )


def _proxy_mode(asked: Asked) -> Need | None:
    mode = asked.cluster.network.kube_proxy.mode
    if mode in {None, KubeProxyMode.IPTABLES} or str(mode) in asked.host.proxy_modes:
        return None
    return Need(
        reason=f"the kernel of this host has nothing loaded that carries kube-proxy's mode {mode}",
        setting={"network": {"kubeProxy": {"mode": "iptables"}}},
    )


_CHECKS: tuple[Callable[[Asked], Need | None], ...] = (
    _oom_scores,
    _cgroups,
    _swap,
    _kernel,
    _proxy_mode,
    _connections,
)


def merged(needs: tuple[Need, ...]) -> dict[str, Any]:
    """All settings as one piece of a spec."""
    whole: dict[str, Any] = {}
    for need in needs:
        _lay(need.setting, whole)
    return whole


def _lay(over: Mapping[str, Any], under: dict[str, Any]) -> None:
    for key, value in over.items():
        if isinstance(value, Mapping):
            _lay(value, under.setdefault(key, {}))
        else:
            under[key] = value
