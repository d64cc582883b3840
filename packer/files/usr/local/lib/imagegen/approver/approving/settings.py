"""What user-data tells the approver of the cluster."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Union

Network = Union[ipaddress.IPv4Network, ipaddress.IPv6Network]


@dataclass(frozen=True)
class Settings:
    """Where nodes' addresses come from, and the host of the endpoint, which is no worker's."""

    networks: tuple[Network, ...]
    endpoint: str


def read_settings(path: Path) -> Settings:
    """The file that user-data wrote."""
    told = json.loads(path.read_text())
    return Settings(tuple(map(ipaddress.ip_network, told["nodeCIDRs"])), told["endpoint"])
