"""What is written into the configurations, as data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from bootstrap import yamlfile
from bootstrap.addresses import Address, choose_addresses, parse_addresses
from bootstrap.cni import PLUGINS, edited, set_flannel_network
from bootstrap.kubeadmfile import KubeadmFile

from tests.firstboot.documents import INIT, flannel
from tests.firstboot.machine import Machine

OLD = "10.244.0.0/16"
V4, V6 = "192.168.0.11", "fd00::11"
NODE_IP = [{"name": "node-ip", "value": V4}]


def document(kind: str, api: str = "v1beta4", **content: Any) -> dict[str, Any]:
    return {"apiVersion": f"kubeadm.k8s.io/{api}", "kind": kind, **content}


def filled(*documents: dict[str, Any], addresses: tuple[str, ...] = (V4,)) -> dict[str, Any]:
    config = KubeadmFile(list(documents))
    config.fill(list(addresses), "node-1")
    return {key: value for key, value in config.documents[0].items() if key not in {"apiVersion", "kind"}}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            document("InitConfiguration"),
            {"localAPIEndpoint": {"advertiseAddress": V4}, "nodeRegistration": {"kubeletExtraArgs": NODE_IP}},
        ),
        (
            document("InitConfiguration", localAPIEndpoint={"advertiseAddress": "10.0.0.1", "bindPort": 8443}),
            {
                "localAPIEndpoint": {"advertiseAddress": "10.0.0.1", "bindPort": 8443},
                "nodeRegistration": {"kubeletExtraArgs": NODE_IP},
            },
        ),
        (
            document("JoinConfiguration", nodeRegistration=None),
            {"nodeRegistration": {"kubeletExtraArgs": NODE_IP}},
        ),
        (
            document("JoinConfiguration", controlPlane={"localAPIEndpoint": None}),
            {
                "controlPlane": {"localAPIEndpoint": {"advertiseAddress": V4}},
                "nodeRegistration": {"kubeletExtraArgs": NODE_IP},
            },
        ),
        (
            document("JoinConfiguration", api="v1beta3"),
            {"nodeRegistration": {"kubeletExtraArgs": {"node-ip": V4}}},
        ),
        (
            document("JoinConfiguration", nodeRegistration={"kubeletExtraArgs": {"node-ip": "10.0.0.1"}}),
            {"nodeRegistration": {"kubeletExtraArgs": {"node-ip": "10.0.0.1"}}},
        ),
        (
            document(
                "JoinConfiguration", nodeRegistration={"kubeletExtraArgs": [{"name": "node-ip", "value": "10.0.0.1"}]}
            ),
            {"nodeRegistration": {"kubeletExtraArgs": [{"name": "node-ip", "value": "10.0.0.1"}]}},
        ),
        (
            document("JoinConfiguration", nodeRegistration={"kubeletExtraArgs": [{"name": "v", "value": "2"}]}),
            {"nodeRegistration": {"kubeletExtraArgs": [{"name": "v", "value": "2"}, *NODE_IP]}},
        ),
    ],
    ids=["init", "init, given", "worker", "control plane", "map", "map, given", "list, given", "list"],
)
def test_addresses_are_filled_in(before: dict[str, Any], after: dict[str, Any]) -> None:
    registration = {"name": "node-1", **after["nodeRegistration"]}
    assert filled(before) == {**after, "nodeRegistration": registration}


def test_a_name_that_is_given_stays() -> None:
    join = filled(document("JoinConfiguration", nodeRegistration={"name": "mine"}))
    assert join["nodeRegistration"]["name"] == "mine"


def test_two_families() -> None:
    init = filled(document("InitConfiguration"), addresses=(V6, V4))
    assert init["localAPIEndpoint"]["advertiseAddress"] == V6
    assert init["nodeRegistration"]["kubeletExtraArgs"] == [{"name": "node-ip", "value": f"{V6},{V4}"}]


def test_other_documents_stay() -> None:
    kubelet = {"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration"}
    config = KubeadmFile([document("InitConfiguration"), dict(kubelet)])
    config.fill([V4], "node-1")
    assert config.documents[1] == kubelet


def test_yaml_keeps_what_looks_like_something_else(tmp_path: Path) -> None:
    text = "when: 2026-11-22T08:00:00Z\nday: 2026-11-22\nport: '10:20'\nmode: '0644'\nyes: 'on'\nversion: '1.30'\n"
    path = tmp_path / "file.yaml"
    yamlfile.write(path, yamlfile.parse(text), 0o600)
    again = yamlfile.read(path)
    assert again == yamlfile.parse(text)
    assert again[0]["when"] == "2026-11-22T08:00:00Z"
    assert again[0]["port"] == "10:20"
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("text", ["- a", "a: b: c", "a: [", "text"])
def test_yaml_that_is_no_mapping(text: str) -> None:
    with pytest.raises(ValueError, match=r"not YAML|not a mapping"):
        yamlfile.parse(text)


@pytest.mark.parametrize(
    ("cidrs", "found", "chosen"),
    [
        (["192.168.0.0/24"], [("eth0", "10.0.0.1"), ("eth1", V4)], [V4]),
        (["10.0.0.0/8", "192.168.0.0/24"], [("eth1", V4), ("eth0", "10.0.0.1")], ["10.0.0.1"]),
        (["192.168.0.0/24"], [("eth0", "192.168.0.100"), ("eth0", V4)], [V4]),
        (["192.168.0.0/24"], [("eth0", "192.168.0.100")], ["192.168.0.100"]),
        (["192.168.0.0/24", "fd00::/64"], [("eth0", V6), ("eth0", V4)], [V4, V6]),
        (["192.168.0.0/24", "fd00::/64"], [("eth0", V4)], []),
        (["192.168.0.0/24"], [("eth0", "10.0.0.1")], []),
        (["192.168.0.0/24"], [], []),
    ],
    ids=["one", "first network", "not the endpoint", "but the endpoint", "two", "one of two", "elsewhere", "none"],
)
def test_address_of_the_node(cidrs: list[str], found: list[tuple[str, str]], chosen: list[str]) -> None:
    assert choose_addresses([Address(*item) for item in found], cidrs, "192.168.0.100") == chosen


def test_passing_addresses_and_container_links_do_not_count() -> None:
    def info(**extra: object) -> list[dict[str, object]]:
        return [{"local": V4, "scope": "global", **extra}]

    links = [
        {"ifname": "lo", "addr_info": info(scope="host")},
        {"ifname": "eth0", "addr_info": [*info(secondary=True), *info(deprecated=True), *info(tentative=True)]},
        {"ifname": "cni0", "addr_info": info()},
        {"ifname": "kube-ipvs0", "addr_info": info()},
        {"ifname": "eth1", "addr_info": info(local="192.168.0.12")},
        {},
    ]
    assert parse_addresses(json.dumps(links)) == [Address("eth1", "192.168.0.12")]


@pytest.mark.parametrize(
    ("pods", "expected"),
    [
        ("10.99.0.0/16", {"Network": "10.99.0.0/16", "EnableIPv4": True, "EnableIPv6": False}),
        (
            "fd01::/48",
            {"Network": "10.244.0.0/16", "IPv6Network": "fd01::/48", "EnableIPv4": False, "EnableIPv6": True},
        ),
        (
            "10.99.0.0/16,fd01::/48",
            {"Network": "10.99.0.0/16", "IPv6Network": "fd01::/48", "EnableIPv4": True, "EnableIPv6": True},
        ),
    ],
)
def test_pod_network_of_flannel(pods: str, expected: dict[str, object]) -> None:
    documents = flannel()
    set_flannel_network(documents, pods)
    settings = json.loads(documents[1]["data"]["net-conf.json"])
    assert settings == {"EnableNFTables": False, "Backend": {"Type": "vxlan"}, **expected}
    assert documents[0] == flannel()[0]


CRD = '# Its words stay.\nkind: CustomResourceDefinition\nspec: {enum: ["Off", on], pattern: ^[0-9]+$}\n'
AGENT = """\
kind: DaemonSet
metadata: {name: calico-node}
spec:
  template:
    spec:
      containers:
        - name: calico-node
          env:
            - {name: DATASTORE_TYPE, value: kubernetes}
            # - name: CALICO_IPV4POOL_CIDR
            #   value: "192.168.0.0/16"
"""


@pytest.mark.parametrize("given", ["", '            - {name: CALICO_IPV4POOL_CIDR, value: "192.168.0.0/16"}\n'])
def test_pod_network_of_calico(given: str) -> None:
    text = f"---\n# Source\n{CRD}---\n{AGENT}{given}---\nkind: Deployment\nmetadata: {{name: last}}\n"
    result = edited(text, PLUGINS["calico"], "10.99.0.0/16")
    before, agent, after = (part for part in result.split("---\n") if part)
    assert before == f"# Source\n{CRD}"
    assert after == "kind: Deployment\nmetadata: {name: last}\n"
    (container,) = yaml.safe_load(agent)["spec"]["template"]["spec"]["containers"]
    assert container["env"] == [
        {"name": "DATASTORE_TYPE", "value": "kubernetes"},
        {"name": "CALICO_IPV4POOL_CIDR", "value": "10.99.0.0/16"},
    ]


@pytest.mark.parametrize("text", [CRD, AGENT.replace("calico-node", "other"), AGENT.replace("{name: DATA", "{DATA")])
def test_a_manifest_that_is_not_calico_s(text: str) -> None:
    with pytest.raises((ValueError, LookupError, TypeError)):
        edited(text, PLUGINS["calico"], "10.99.0.0/16")


def test_calico_is_applied_by_the_server(machine: Machine) -> None:
    machine.stage(INIT, cni={"name": "calico", "podCIDR": "10.99.0.0/16"})
    machine.write("/usr/local/lib/imagegen/cni/calico.yaml", f"---\n{CRD}---\n{AGENT}")
    machine.script("kubectl", f'cp "{machine.paths.work}/cni.yaml" "$root/answers/applied"\n')
    assert machine.boot() == 0
    (call,) = [call for call in machine.calls_of("kubectl") if " apply " in call]
    assert " apply --server-side --force-conflicts -f " in call
    assert "10.99.0.0/16" in machine.read("/answers/applied")
    assert CRD in machine.read("/answers/applied")
