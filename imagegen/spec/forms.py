"""The forms of single values: addresses, names, endpoints; and how keys become fields."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Reference = tuple[str | int, ...]
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PLURAL_INITIALISMS = {
    "nodeCIDRs": "node_cidrs",
    "certSANs": "cert_sans",
    "trustedCAs": "trusted_cas",
    "vpcCIDRs": "vpc_cidrs",
}
_HOST = re.compile(r"^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$")


def field_name(key: str) -> str:
    """The field that a spec's key fills: `memoryMiB` → `memory_mib`."""
    return _PLURAL_INITIALISMS.get(key) or _WORDS.sub("_", key.replace("MiB", "Mib").replace("GiB", "Gib")).lower()


def read_hostname(text: str) -> str:
    """The text, if it is a DNS name in lower case; `ValueError` otherwise."""
    if not _HOST.fullmatch(text):
        raise ValueError("not a host name")
    return text


def read_address(text: str) -> Address | None:
    """The address that the text is; nothing where it is a name."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def split_endpoint(endpoint: str) -> tuple[str, int]:
    """Host and port of `host:port` (IPv6 in brackets); `ValueError` for anything else."""
    host, colon, port = endpoint.rpartition(":")
    if not colon or not port.isdigit() or not 0 < int(port) < 1 << 16:
        raise ValueError("no port")
    if host.startswith("["):
        return str(ip_address(host.removeprefix("[").removesuffix("]"))), int(port)
    return read_hostname(host), int(port)
