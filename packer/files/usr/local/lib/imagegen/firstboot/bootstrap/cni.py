"""Gives the cluster its pod network."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable
from typing import Any

from bootstrap import yamlfile
from bootstrap.boot import Boot
from bootstrap.failures import Final, Retry
from bootstrap.reasons import Note

APPLY_LIMIT = 120.0
FLANNEL_CONFIG, FLANNEL_KEY = "kube-flannel-cfg", "net-conf.json"
FLANNEL_NETWORKS = {4: "Network", 6: "IPv6Network"}


def cni(boot: Boot) -> Note:
    """Applies the manifest that the image carries for this plugin."""
    name = boot.node.cni
    if name == "none":
        return Note("no-manifest", "the pod network is somebody else's business")
    source = boot.paths.cni / f"{name}.yaml"
    target = boot.paths.work / "cni.yaml"
    try:
        documents = yamlfile.read(source)
        EDITS.get(name, _leave)(documents, boot.node.pod_cidr)
    except FileNotFoundError as error:
        raise Final("cni-manifest-missing", f"{source} is missing") from error
    except (ValueError, LookupError, TypeError) as error:
        raise Final("cni-manifest-invalid", f"{source}: {error}") from error
    yamlfile.write(target, documents, 0o600)
    command = (*boot.kubectl(boot.paths.admin_conf), "apply", "-f", str(target))
    result = boot.tools.perform(*command, log="cni", limit=APPLY_LIMIT)
    if result.code:
        raise Retry("cni-apply-failed", f"kubectl apply: {result.out.strip()[-300:]}")
    return Note()


def set_flannel_network(documents: list[dict[str, Any]], pod_cidr: str) -> None:
    """Writes the cluster's pod networks into flannel's configuration."""
    config = _config_map(documents, FLANNEL_CONFIG)
    settings = json.loads(config["data"][FLANNEL_KEY])
    networks = [ipaddress.ip_network(cidr.strip()) for cidr in pod_cidr.split(",")]
    for network in networks:
        settings[FLANNEL_NETWORKS[network.version]] = str(network)
    settings["EnableIPv4"] = any(network.version == 4 for network in networks)  # noqa: PLR2004
    settings["EnableIPv6"] = any(network.version == 6 for network in networks)  # noqa: PLR2004
    config["data"][FLANNEL_KEY] = json.dumps(settings, indent=2) + "\n"


def _config_map(documents: list[dict[str, Any]], name: str) -> dict[str, Any]:
    for document in documents:
        if document.get("kind") == "ConfigMap" and document["metadata"]["name"] == name:
            return document
    raise LookupError(f"no ConfigMap {name}")


def _leave(documents: list[dict[str, Any]], pod_cidr: str) -> None:
    """Other plugins take the pod network from the cluster itself."""


EDITS: dict[str, Callable[[list[dict[str, Any]], str], None]] = {"flannel": set_flannel_network}
