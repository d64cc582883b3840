"""Finds the addresses of this machine on the cluster's node networks."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

# Interfaces that container networks make; their addresses are never the node's.
CONTAINER_LINKS = ("cali", "cilium", "cni", "docker", "flannel", "kube-", "lxc", "nodelocaldns", "tunl", "veth")
PASSING_FLAGS = ("secondary", "deprecated", "temporary", "tentative", "dadfailed")


class Address(NamedTuple):
    """An address and the interface that has it."""

    link: str
    value: str


def parse_addresses(text: str) -> list[Address]:
    """The lasting addresses in the output of `ip -json address`."""
    return [
        Address(str(link["ifname"]), str(info["local"]))
        for link in json.loads(text)
        if link.get("ifname") and not str(link["ifname"]).startswith(CONTAINER_LINKS)
        for info in link.get("addr_info", ())
        if _lasts(info)
    ]


def choose_addresses(found: Sequence[Address], cidrs: Sequence[str], endpoint_host: str) -> list[str]:
    """One address of each family that the networks have, the first network's first; empty if one is missing."""
    networks = [ipaddress.ip_network(cidr, strict=False) for cidr in cidrs]
    chosen: dict[int, str] = {}
    for network in networks:
        inside = [item.value for item in found if ipaddress.ip_address(item.value) in network]
        # A virtual address may sit on this machine for now: it is the endpoint, never the node's own,
        # unless there is no other.
        inside.sort(key=lambda value: value == endpoint_host)
        if inside:
            chosen.setdefault(network.version, inside[0])
    wanted = {network.version for network in networks}
    return list(chosen.values()) if wanted == set(chosen) else []


def plain(host: str) -> str:
    """An address as it is usually written; a name as it is."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return host


def _lasts(info: dict[str, Any]) -> bool:
    return info.get("scope") == "global" and "local" in info and not any(info.get(flag) for flag in PASSING_FLAGS)
