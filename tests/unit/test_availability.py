"""What user-data and images bring for the endpoint of several control planes."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from imagegen.cli.common import load_assets
from tests.support.specs import render, spec
from tests.unit.test_userdata import ROLES, files


@pytest.mark.parametrize(
    ("provider", "endpoint", "given", "told"),
    [
        ("alicloud", "192.168.0.250:6443", {}, True),
        ("alicloud", "192.168.0.250:6443", {"hairpin": "none"}, False),
        ("alicloud", "192.168.0.242:6443", {}, False),
        ("aws", "192.168.0.250:6443", {}, False),
        ("aws", "api.example.com:6443", {"hairpin": "local"}, True),
    ],
    ids=["default", "switched off", "a node's own address", "another cloud", "asked for"],
)
def test_control_planes_are_told_to_answer_the_endpoint(
    provider: str, endpoint: str, given: dict[str, str], *, told: bool
) -> None:
    data = spec(provider={"type": provider}, controlPlane={"endpoint": endpoint, "highAvailability": given})
    nodes = {role: json.loads(files(data, role)["/etc/imagegen/node.json"]) for role in ROLES}
    hairpins = {role: node.get("hairpin") for role, node in nodes.items()}
    local = "local" if told else None
    assert hairpins == {"control-plane-init": local, "control-plane-join": local, "worker-workers": None}


@pytest.mark.parametrize(("host", "kept"), [("192.168.0.250", None), ("api.example.com", False)])
def test_cloud_init_leaves_hosts_alone_where_first_boot_writes_to_it(host: str, kept: bool | None) -> None:
    planes = {"endpoint": f"{host}:6443", "nodes": [], "highAvailability": {"hairpin": "local"}}
    data = spec(provider={"type": "alicloud"}, controlPlane=planes, nodePools=[{"name": "workers"}])
    for role in ("control-plane-init", "control-plane-join"):
        text = render(data).tree[f"user-data/{role}.yaml"].content.decode()
        assert yaml.safe_load(text).get("manage_etc_hosts") is kept


def kube_vip(**kubernetes: str) -> dict[str, Any]:
    """A spec with kube-vip at a free address of the nodes' network."""
    plane = {"endpoint": "192.168.0.250:6443", "highAvailability": {"type": "kubeVip"}}
    return spec(controlPlane=plane, **({"kubernetes": kubernetes} if kubernetes else {}))


def test_control_planes_have_kube_vip_and_workers_do_not() -> None:
    path = "/var/lib/imagegen/manifests/kube-vip.yaml"
    found = {role: files(kube_vip(), role).get(path) for role in ROLES}
    assert found["worker-workers"] is None
    assert found["control-plane-init"] == found["control-plane-join"]
    pod = yaml.safe_load(found["control-plane-init"] or "")
    (container,) = pod["spec"]["containers"]
    settings = {item["name"]: item.get("value") for item in container["env"]}
    assert (settings["address"], settings["port"], settings["vip_subnet"]) == ("192.168.0.250", "6443", "32")
    assert container["image"] == load_assets().catalog.image.kube_vip_image
    assert pod["spec"]["volumes"][0]["hostPath"] == {"path": "/etc/kubernetes/admin.conf", "type": "File"}


@pytest.mark.parametrize(("version", "file"), [("1.28.15", "admin.conf"), ("1.29.15", "super-admin.conf")])
def test_only_who_may_start_the_cluster_is_told_of_super_admin_conf(version: str, file: str) -> None:
    data = kube_vip(version=version)
    nodes = {role: json.loads(files(data, role)["/etc/imagegen/node.json"]) for role in ROLES}
    assert nodes["control-plane-init"]["kubeVip"] == {"initKubeconfig": f"/etc/kubernetes/{file}"}
    assert "kubeVip" not in nodes["control-plane-join"]


def test_the_image_of_control_planes_brings_kube_vip_s() -> None:
    catalog = load_assets().catalog
    with_it, without = (
        render(data).tree["images/demo/packer/image.env"].content.decode() for data in (kube_vip(), spec())
    )
    assert catalog.image.kube_vip_image in with_it
    assert catalog.image.kube_vip_image not in without


def keepalived(**settings: object) -> dict[str, Any]:
    """A spec of three control planes that keep a free address of their network among themselves."""
    nodes = [{"name": f"cp{number}", "address": f"192.168.0.1{number}"} for number in (1, 2, 3)]
    ours = {"type": "keepalived", **settings}
    return spec(controlPlane={"endpoint": "192.168.0.250:8443", "highAvailability": ours, "nodes": nodes})


def test_control_planes_have_haproxy_and_keepalived_and_workers_do_not() -> None:
    found = {role: files(keepalived(), role) for role in ROLES}
    ours = {path for path in found["control-plane-init"] if "haproxy" in path or "keepalived" in path}
    assert len(ours) == 3
    for path in ours:
        assert found["control-plane-init"][path] == found["control-plane-join"][path]
        assert path not in found["worker-workers"]
    told = {role: json.loads(each["/etc/imagegen/node.json"]).get("keepalived") for role, each in found.items()}
    addresses = {"controlPlanes": ["192.168.0.11", "192.168.0.12", "192.168.0.13"]}
    assert told == {"control-plane-init": addresses, "control-plane-join": addresses, "worker-workers": None}


def test_haproxy_passes_on_to_every_control_plane() -> None:
    text = files(keepalived(), "control-plane-join")["/etc/haproxy/haproxy.cfg"]
    lines = [line.strip() for line in text.splitlines()]
    assert "bind :8443" in lines
    servers = [line for line in lines if line.startswith("server ")]
    assert servers == [f"server cp{number} 192.168.0.1{number}:6443" for number in (1, 2, 3)]


@pytest.mark.parametrize(("settings", "number"), [({}, 250), ({"virtualRouterID": 51}, 51)])
def test_keepalived_has_the_address_and_a_number_of_its_own(settings: dict[str, object], number: int) -> None:
    text = files(keepalived(**settings), "control-plane-init")["/etc/keepalived/keepalived.conf"]
    lines = [line.strip() for line in text.splitlines()]
    assert f"virtual_router_id {number}" in lines
    assert "192.168.0.250/32" in lines


def test_addresses_of_ipv6_are_written_as_haproxy_reads_them() -> None:
    data = keepalived()
    network = {"nodeCIDRs": ["fd00:1::/64"], "podCIDR": "fd00:2::/56", "serviceCIDR": "fd00:3::/112"}
    plane = {**data["controlPlane"], "endpoint": "[fd00:1::100]:8443"}
    plane["nodes"] = [{"name": "cp1", "address": "fd00:1::11"}]
    found = files({**data, "network": network, "controlPlane": plane, "nodePools": []}, "control-plane-init")
    assert "    bind :::8443\n" in found["/etc/haproxy/haproxy.cfg"]
    assert "    server cp1 [fd00:1::11]:6443\n" in found["/etc/haproxy/haproxy.cfg"]
    # The last byte is 0, which is no router's number.
    assert "virtual_router_id 255\n" in found["/etc/keepalived/keepalived.conf"]
    assert "        fd00:1::100/128\n" in found["/etc/keepalived/keepalived.conf"]
