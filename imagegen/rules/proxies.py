"""Rules about proxies that a spec's files set."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_network

from imagegen.catalog import Catalog
from imagegen.diagnostics import Diagnostic, Severity
from imagegen.spec import Cluster, Network, NodeFile

# Few specs have such files: these are compiled where one has.
_PROXY = r"(?i)\b(?:https?|all)_proxy\s*=\s*[\"']?\s*[^\s\"']"
_DIRECT = r"(?i)\bno_proxy\s*=\s*[\"']?([^\s\"']*)"
# Where programs that talk to the cluster get their environment from.
_PLACES = (
    "/etc/default/",
    "/etc/environment",
    "/etc/profile.d/",
    "/etc/sysconfig/",
    "/etc/systemd/",
    "/usr/lib/systemd/",
)


def check_proxy_files(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG256: a file sets a proxy, and leaves the cluster's own ranges to it."""
    network = cluster.network
    ours = (*network.node_cidrs, network.pod_cidr, network.service_cidr)
    for number, file in enumerate(cluster.files):
        if not file.path.startswith(_PLACES) or not re.search(_PROXY, _without_comments(file)):
            continue
        direct = [entry for found in re.findall(_DIRECT, _without_comments(file)) for entry in found.split(",")]
        missing = [str(cidr) for cidr in ours if not any(_covers(entry, cidr) for entry in direct)]
        if missing:
            yield Diagnostic(
                code="IG256",
                message=f"`{file.path}` sets a proxy, and its NO_PROXY lacks {', '.join(missing)}: the cluster's own"
                " traffic would go through it",
                hint="add them; for containerd alone, the key `proxy` does so itself",
                severity=Severity.WARNING,
                path=("files", number, "content"),
            )


def _without_comments(file: NodeFile) -> str:
    return "\n".join(line for line in file.content.splitlines() if not line.lstrip().startswith("#"))


def _covers(entry: str, cidr: Network) -> bool:
    if entry == "*":
        return True
    try:
        outer = ip_network(entry.strip(), strict=False)
    except ValueError:
        return False
    # `subnet_of` is typed for one family at a time.
    same = outer.version == cidr.version and outer.prefixlen <= cidr.prefixlen
    return same and cidr.network_address in outer
