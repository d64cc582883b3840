"""How kube-proxy implements Services by default, by release, and what it leaves of that in the kernel."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from imagegen.lab.machine import Machine
from tools.releases import IPVS, NEWEST, Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """One of kube-proxy's modes, and a release whose default it is."""

    name: str
    release: Release
    servers: Callable[[Machine, str], set[str]]
    """The servers that the kernel has behind an address and port: those of the pods."""


def connections(machine: Machine, address: str) -> dict[str, int]:
    """Connections so far by server, of what IPVS has for an address and port."""
    table = machine.shell("ipvsadm --list --numeric --stats").stdout
    _, found, rest = table.partition(f"TCP  {address} ")
    assert found, f"no {address} in:\n{table}"
    servers = re.split(r"^(?:TCP|UDP) ", rest, maxsplit=1, flags=re.MULTILINE)[0]
    return {server: int(count) for server, count in re.findall(r"-> (\S+) +(\d+)", servers)}


def _of_ipvs(machine: Machine, address: str) -> set[str]:
    return set(connections(machine, address))


def _of_nftables(machine: Machine, address: str) -> set[str]:
    table = machine.shell("nft list table ip kube-proxy").stdout
    host, _, port = address.rpartition(":")
    # By the Service's own address, or by a node's port.
    keys = rf"{re.escape(host)} \. tcp \. {port}|(?<!\. )tcp \. {port}"
    first = re.findall(rf'(?:{keys})(?: comment "[^"]*")? : goto ([^\s,]+)', table)
    assert first, f"no {address} in:\n{table}"
    chains = dict(re.findall(r"chain (\S+) \{\n(.*?)\n\t\}", table, re.DOTALL))
    return {server for chain in first for server in _destinations(chains, chain)}


def _destinations(chains: dict[str, str], name: str) -> set[str]:
    """Where the rules of a chain, and of those that it goes to, send connections: to one server, or by lot."""
    rules = chains[name]
    found = set(re.findall(r"dnat to (\S+)", rules))
    for lots in re.findall(r"dnat ip to numgen .*? map \{(.*?)\}", rules, re.DOTALL):
        found |= {f"{host}:{port}" for host, port in re.findall(r": (\S+) \. (\d+)", lots)}
    return found.union(*(_destinations(chains, chain) for chain in re.findall(r"goto ([^\s,]+)", rules)))


IPVS_MODE = Mode(name="ipvs", release=IPVS, servers=_of_ipvs)
NFTABLES_MODE = Mode(name="nftables", release=NEWEST, servers=_of_nftables)
