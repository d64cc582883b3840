"""NoCloud seeds: what a machine without a cloud reads beside its user-data."""

from __future__ import annotations

from typing import Any

from imagegen import yaml_dump
from imagegen.plan import NodePlan


def render_seed(node: NodePlan) -> dict[str, str]:
    """`meta-data` and `network-config` of a node with a fixed name and address."""
    meta_data = {"instance-id": node.instance_id, "local-hostname": node.name}
    return {"meta-data": yaml_dump.dump(meta_data), "network-config": yaml_dump.dump(_network_config(node))}


def _network_config(node: NodePlan) -> dict[str, Any]:
    # Any Ethernet card: names differ between hypervisors (eth0, ens3, enp1s0).
    # No router's advertisement decides anything here, and waiting for one delays every boot by 13 s.
    interface: dict[str, Any] = {"match": {"name": "e*"}, "addresses": [node.address], "accept-ra": False}
    if node.gateway:
        # Spelled out: not every renderer of cloud-init takes the word `default`.
        interface["routes"] = [{"to": "::/0" if ":" in node.gateway else "0.0.0.0/0", "via": node.gateway}]
    if node.nameservers:
        interface["nameservers"] = {"addresses": list(node.nameservers)}
    return {"version": 2, "ethernets": {"primary": interface}}
