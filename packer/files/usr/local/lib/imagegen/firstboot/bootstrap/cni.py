"""Gives the cluster its pod network."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from bootstrap import files, yamlfile
from bootstrap.boot import Boot
from bootstrap.failures import Final, Retry
from bootstrap.reasons import Note

APPLY_LIMIT = 120.0
FLANNEL_CONFIG, FLANNEL_KEY = "kube-flannel-cfg", "net-conf.json"
CALICO_NODE, CALICO_NETWORK = "calico-node", "CALICO_IPV4POOL_CIDR"
SEPARATOR = re.compile(r"(?m)^---.*\n")
FLANNEL_NETWORKS = {4: "Network", 6: "IPv6Network"}


def cni(boot: Boot) -> Note:
    """Applies the manifest that the image carries for this plugin."""
    name = boot.node.cni
    if name == "none":
        return Note("no-manifest", "the pod network is somebody else's business")
    source = boot.paths.cni / f"{name}.yaml"
    target = boot.paths.work / "cni.yaml"
    plugin = PLUGINS.get(name, Plugin(_leave))
    try:
        text = edited(source.read_text(), plugin, boot.node.pod_cidr)
    except FileNotFoundError as error:
        raise Final("cni-manifest-missing", f"{source} is missing") from error
    except (ValueError, LookupError, TypeError) as error:
        raise Final("cni-manifest-invalid", f"{source}: {error}") from error
    files.write(target, text.encode(), 0o600)
    command = (*boot.kubectl(boot.paths.admin_conf), "apply", *plugin.flags, "-f", str(target))
    result = boot.tools.perform(*command, log="cni", limit=APPLY_LIMIT)
    if result.code:
        raise Retry("cni-apply-failed", f"kubectl apply: {result.out.strip()[-300:]}")
    return Note()


def set_flannel_network(documents: list[dict[str, Any]], pod_cidr: str) -> None:
    """Writes the cluster's pod networks into flannel's configuration."""
    config = _named(documents, "ConfigMap", FLANNEL_CONFIG)
    settings = json.loads(config["data"][FLANNEL_KEY])
    networks = [ipaddress.ip_network(cidr.strip()) for cidr in pod_cidr.split(",")]
    for network in networks:
        settings[FLANNEL_NETWORKS[network.version]] = str(network)
    settings["EnableIPv4"] = any(network.version == 4 for network in networks)  # noqa: PLR2004
    settings["EnableIPv6"] = any(network.version == 6 for network in networks)  # noqa: PLR2004
    config["data"][FLANNEL_KEY] = json.dumps(settings, indent=2) + "\n"


def set_calico_network(documents: list[dict[str, Any]], pod_cidr: str) -> None:
    """Writes the cluster's pod network into Calico's agent, as the remark at that place in its manifest asks for."""
    containers = _named(documents, "DaemonSet", CALICO_NODE)["spec"]["template"]["spec"]["containers"]
    (agent,) = (container for container in containers if container["name"] == CALICO_NODE)
    others = [variable for variable in agent["env"] if variable["name"] != CALICO_NETWORK]
    agent["env"] = [*others, {"name": CALICO_NETWORK, "value": pod_cidr}]


class Plugin(NamedTuple):
    """How a network plugin is told the pod network, and applied; `kind`: of the only objects that are read for it."""

    edit: Callable[[list[dict[str, Any]], str], None]
    kind: str = ""
    flags: tuple[str, ...] = ()


def _leave(documents: list[dict[str, Any]], pod_cidr: str) -> None:
    """Other plugins take the pod network from the cluster itself."""


PLUGINS = {
    "flannel": Plugin(set_flannel_network),
    # Its CRDs are too long for the annotation in which kubectl would keep each, and to be read in a moment.
    "calico": Plugin(set_calico_network, "DaemonSet", ("--server-side", "--force-conflicts")),
}


def edited(text: str, plugin: Plugin, pod_cidr: str) -> str:
    """The manifest for this cluster; what is not read stays as it is, in its place."""
    parts = SEPARATOR.split(text) if plugin.kind else [text]
    kind = re.compile(rf"(?m)^kind: *{plugin.kind} *$" if plugin.kind else "")
    read = {number: yamlfile.parse(part) for number, part in enumerate(parts) if kind.search(part)}
    plugin.edit([document for documents in read.values() for document in documents], pod_cidr)
    return "---\n".join(yamlfile.dump(read[number]) if number in read else part for number, part in enumerate(parts))


def _named(documents: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    for document in documents:
        if document.get("kind") == kind and document["metadata"]["name"] == name:
            return document
    raise LookupError(f"no {kind} {name}")
