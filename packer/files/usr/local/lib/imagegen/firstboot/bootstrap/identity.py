"""What the image and the user-data say of this machine."""

from __future__ import annotations

import calendar
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bootstrap.addresses import plain
from bootstrap.failures import Final
from bootstrap.phases import HAIRPIN, INIT, JOIN, KEEPALIVED, KUBE_VIP, SHARED, WORKER

METADATA, FIXED, WITH_INSTANCE_ID = "metadata", "fixed", "prefix+instance-id"
NAMES_FROM = (METADATA, FIXED, WITH_INSTANCE_ID)


@dataclass(frozen=True)
class Node:
    """The node that the user-data asks for; empty until it has been read."""

    role: str = ""
    pool: str = ""
    name_from: str = ""
    name_prefix: str = ""
    host: str = ""
    port: int = 0
    cidrs: tuple[str, ...] = ()
    not_before: float = 0
    cni: str = ""
    pod_cidr: str = ""
    # The account that may log in, on control planes.
    admin: str = ""
    # Names and addresses of the control plane that starts the cluster, where all have the same user-data.
    first: frozenset[str] = frozenset()
    # Whether a control plane answers at the endpoint itself: behind a load balancer that loses its packets to itself.
    hairpin: bool = False
    # The kubeconfig that kube-vip needs until `kubeadm init` is over; nothing where it is always admin.conf.
    kube_vip_init: str = ""
    # The addresses of all control planes, where these keep the endpoint among themselves.
    keepalived: tuple[str, ...] = ()

    @property
    def control_plane(self) -> bool:
        return self.role in {INIT, JOIN, SHARED}

    @property
    def settings(self) -> frozenset[str]:
        """The settings that phases of their own are for."""
        told = {HAIRPIN: self.hairpin, KUBE_VIP: bool(self.kube_vip_init), KEEPALIVED: bool(self.keepalived)}
        return frozenset(name for name, given in told.items() if given)

    @property
    def endpoint(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True)
class Identity:
    """The node, and the image that it runs on."""

    contract: int = 0
    node: Node = field(default_factory=Node)
    built_at: float = 0
    kubernetes: str = ""


def read_identity(image_file: Path, node_file: Path) -> Identity:
    """Both halves, if they speak the same contract."""
    image = _read(image_file, "image")
    node = _read(node_file, "node")
    if image.get("contract") != node.get("contract"):
        message = (
            f"the image speaks contract {image.get('contract')!r}, the user-data contract {node.get('contract')!r}; "
            "they were made by different versions of imagegen"
        )
        raise Final("contract-mismatch", message)
    try:
        return Identity(int(node["contract"]), _node(node), _built_at(image), str(image.get("kubernetes", "")))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Final("node-file-invalid", f"{node_file}: {type(error).__name__}: {error}") from error


def parse_time(text: str) -> float:
    """Seconds since the epoch; the contract has times in UTC, to the second."""
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))


def _read(path: Path, what: str) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise Final(f"{what}-file-missing", f"{path} is missing") from error
    except ValueError as error:
        raise Final(f"{what}-file-invalid", f"{path} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise Final(f"{what}-file-invalid", f"{path} does not hold a mapping")
    return value


def _node(data: dict[str, Any]) -> Node:
    host, _, port = data["endpoint"].rpartition(":")
    if data["role"] not in {INIT, JOIN, SHARED, WORKER}:
        raise ValueError(f"unknown role {data['role']!r}")
    if data["role"] == SHARED and not data.get("firstNode"):
        raise ValueError("nothing says which control plane is the first")
    name = data["nodeName"]
    if name["from"] not in NAMES_FROM:
        raise ValueError(f"unknown source of names {name['from']!r}")
    return Node(
        role=data["role"],
        pool=data["pool"],
        name_from=name["from"],
        name_prefix=name.get("prefix", ""),
        host=host.strip("[]"),
        port=int(port),
        cidrs=tuple(data["nodeCIDRs"]),
        not_before=parse_time(data["notBefore"]),
        cni=data["cni"]["name"],
        pod_cidr=data["cni"].get("podCIDR", ""),
        admin=str(data.get("admin", "")),
        first=frozenset(str(item).lower() for item in data.get("firstNode", ())),
        hairpin=data.get("hairpin") == "local",
        kube_vip_init=str(data.get("kubeVip", {}).get("initKubeconfig", "")),
        keepalived=tuple(plain(str(item)) for item in data.get("keepalived", {}).get("controlPlanes", ())),
    )


def _built_at(image: dict[str, Any]) -> float:
    # An image without a date is no reason to stay out of the cluster.
    built = (image.get("builtBy") or {}).get("at")
    return parse_time(built) if built else 0
