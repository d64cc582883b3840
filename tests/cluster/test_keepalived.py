"""Three control planes, which keep the endpoint among themselves, and a worker, all switched on in the same second.

haproxy and keepalived are Debian's own, in an image of their own: baked by the emitted scripts, without Packer.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from imagegen.lab import lab
from imagegen.lab.nspawn import NspawnMachine
from imagegen.lab.process import LabError
from tests.cluster import site, timeline
from tests.cluster.bake import in_nspawn
from tests.cluster.conftest import diagnosis
from tests.cluster.kubectl import Kubectl, is_ready, until
from tests.cluster.test_high_availability import CONTROL_PLANES, NODES, OPERATOR, machine
from tests.support.bake import image_section
from tools import toolbox

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

VIRTUAL = "10.77.0.9"
UNITS = "haproxy.service keepalived.service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Machines by name, and the operator's view of what they have become."""

    machines: dict[str, NspawnMachine]
    kubectl: Kubectl

    def ready(self) -> set[str]:
        return {node["metadata"]["name"] for node in self.kubectl.items("nodes") if is_ready(node)}

    def identity(self) -> str:
        """The cluster's own: the one thing that a second cluster under the same CA would not share."""
        return self.kubectl.run("get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}")

    def holders(self) -> list[str]:
        """The machines that run and have the virtual address."""
        running = [name for name, each in self.machines.items() if each.is_running]
        asked = {name: self.machines[name].shell("ip -oneline address").stdout for name in running}
        return [name for name, said in asked.items() if f" {VIRTUAL}/32 " in said]


def spec(template: dict[str, Any]) -> dict[str, Any]:
    """The lab's, with three control planes and an address that is none's."""
    nodes = [{"name": name, "address": address} for name, address in CONTROL_PLANES.items()]
    ours = {"endpoint": f"{VIRTUAL}:8443", "highAvailability": {"type": "keepalived"}, "nodes": nodes}
    return {**template, "controlPlane": {**template["controlPlane"], **ours}}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, report: list[str]) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("keepalived")
    made = site.make(folder, image_section(), change=spec)
    made.render()
    started = time.monotonic()
    (packer,) = made.rendered.glob("images/*/packer")
    disk = in_nspawn(packer, tmp_path_factory.mktemp("bake"))
    report.append(f"image with haproxy and keepalived baked by nspawn in {time.monotonic() - started:.0f} s")
    with lab.opened(folder, operator=OPERATOR) as opened:
        machines = {name: machine(opened, name, disk, made) for name in NODES}
        kubectl = Kubectl(network=opened.network, binary=toolbox.path("kubectl"), kubeconfig=made.kubeconfig)
        found = Cluster(machines=machines, kubectl=kubectl)
        power_on(found, report)
        yield found
    disk.unlink()


def power_on(cluster: Cluster, report: list[str]) -> None:
    """Everything at once, until all nodes are Ready."""
    started = time.time()
    for each in cluster.machines.values():
        each.start()
    try:
        until("all nodes Ready", lambda: cluster.ready() == set(NODES), limit=600)
    except (LabError, TimeoutError) as error:
        pytest.fail(f"{error}\n" + "\n".join(map(diagnosis, cluster.machines.values())))
    nodes = {node["metadata"]["name"]: node for node in cluster.kubectl.items("nodes")}
    report.append("three control planes behind haproxy and keepalived of their own:")
    report += [str(timeline.measure(cluster.machines[name], nodes[name], started=started)) for name in NODES]


def test_one_initialised_and_the_others_joined(cluster: Cluster) -> None:
    for name in CONTROL_PLANES:
        console = cluster.machines[name].console()
        assert "phase=keepalived status=ok" in console
        assert ("phase=kubeadm-init" in console) == (name == "cp1")
        assert ("phase=kubeadm-join" in console) == (name != "cp1")


def test_the_address_is_on_one_of_them_and_nobody_s_own(cluster: Cluster) -> None:
    assert len(cluster.holders()) == 1
    for node in cluster.kubectl.items("nodes"):
        own = NODES[node["metadata"]["name"]]
        assert [each["address"] for each in node["status"]["addresses"] if each["type"] == "InternalIP"] == [own]
    # flannel writes it later than the node is Ready.
    until("flannel's addresses", lambda: flannel(cluster) == NODES, limit=60)


def flannel(cluster: Cluster) -> dict[str, str]:
    """The address by which each node's pods are reached."""
    nodes = [node["metadata"] for node in cluster.kubectl.items("nodes")]
    return {node["name"]: node["annotations"].get("flannel.alpha.coreos.com/public-ip") for node in nodes}


def test_both_run_on_control_planes_and_are_masked_on_the_worker(cluster: Cluster) -> None:
    for name, each in cluster.machines.items():
        said = each.shell(f"systemctl is-active {UNITS}; systemctl is-enabled {UNITS}", check=False).stdout.split()
        active, enabled = ("active", "enabled") if name in CONTROL_PLANES else ("inactive", "masked")
        assert said == [active, active, enabled, enabled]
        assert each.shell("systemctl --failed --plain --no-legend").stdout == ""


def test_keepalived_asks_haproxy_without_being_root(cluster: Cluster) -> None:
    for name in CONTROL_PLANES:
        said = cluster.machines[name].shell("journalctl --no-pager -o cat -u keepalived").stdout
        assert "SECURITY VIOLATION" not in said
        assert "VRRP_Script(haproxy) succeeded" in said


def test_where_haproxy_is_gone_the_address_goes_too(cluster: Cluster, report: list[str]) -> None:
    (holder,) = cluster.holders()
    cluster.machines[holder].shell("systemctl stop haproxy.service")
    stopped = time.monotonic()
    until("an answer", lambda: cluster.kubectl.run("get", "--raw", "/readyz", timeout=3), limit=60)
    report.append(
        f"haproxy of {holder}, which had the address, stopped: an answer {time.monotonic() - stopped:.0f} s on"
    )
    cluster.machines[holder].shell("systemctl start haproxy.service")
    (heir,) = cluster.holders()
    assert heir != holder


def test_with_its_holder_dead_the_address_moves_and_the_machine_comes_back_by_itself(
    cluster: Cluster, report: list[str]
) -> None:
    (holder,) = cluster.holders()
    dead, identity = cluster.machines[holder], cluster.identity()
    dead.power_cut()
    cut = time.monotonic()
    until("an answer", lambda: cluster.kubectl.run("get", "--raw", "/readyz", timeout=3), limit=60)
    report.append(f"{holder}, which had the address, cut off: the API answers after {time.monotonic() - cut:.0f} s")
    # A write needs the quorum of etcd.
    until("a write", lambda: cluster.kubectl.run("create", "configmap", "written", "--namespace=default"), limit=60)
    report.append(f"and a write is answered after {time.monotonic() - cut:.0f} s")
    (heir,) = cluster.holders()
    dead.start()
    back = time.monotonic()
    own = f"--server=https://{CONTROL_PLANES[holder]}:6443"
    until("its own API server", lambda: cluster.kubectl.run(own, "get", "--raw", "/readyz"), limit=300)
    until("its API server and etcd", lambda: pods_ready(cluster, holder), limit=300)
    until("all nodes Ready", lambda: cluster.ready() == set(NODES), limit=300)
    report.append(f"{holder} back by itself after {time.monotonic() - back:.0f} s")
    assert cluster.identity() == identity
    # Who has it keeps it.
    assert cluster.holders() == [heir]
    assert dead.shell(f"systemctl is-active {UNITS}").stdout.split() == ["active", "active"]


def pods_ready(cluster: Cluster, node: str) -> bool:
    """Whether the control plane's pods on a node are."""
    chosen = ("--namespace=kube-system", "--selector=tier=control-plane", f"--field-selector=spec.nodeName={node}")
    pods = cluster.kubectl.items("pods", *chosen)
    return len(pods) == 4 and all(map(is_ready, pods))
