"""Control planes behind a load balancer that loses what they send to themselves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any

import pytest

from imagegen.lab import lab
from imagegen.lab.network import BRIDGE
from imagegen.lab.nspawn import NspawnMachine
from imagegen.lab.process import LabError
from tests.cluster import layer4, site
from tests.cluster.bake import Baked
from tests.cluster.conftest import diagnosis
from tests.cluster.kubectl import Kubectl, is_ready, until
from tests.cluster.test_high_availability import machine
from tools import toolbox

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

OPERATOR = IPv4Interface("10.77.0.1/24")
# Not the operator's own, which is the machines' gateway.
BALANCER = "10.77.0.5"
CONTROL_PLANES = {"cp1": "10.77.0.11", "cp2": "10.77.0.12"}
NODES = {**CONTROL_PLANES, "worker1": "10.77.0.21"}
# Alone and with the hairpin answered, the first control plane is done after half of it.
ENOUGH = 75


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A lab with that balancer in it, and what machines there would become."""

    opened: lab.Lab
    made: site.Site
    baked: Baked
    kubectl: Kubectl
    lost: Path

    def machine(self, name: str) -> NspawnMachine:
        return machine(self.opened, name, self.baked.disk, self.made)

    def ready(self) -> set[str]:
        return {node["metadata"]["name"] for node in self.kubectl.items("nodes") if is_ready(node)}


def spec(hairpin: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The lab's, with two control planes behind the balancer."""
    nodes = [{"name": name, "address": address} for name, address in CONTROL_PLANES.items()]
    ours = {"endpoint": f"{BALANCER}:6443", "nodes": nodes, "highAvailability": {"hairpin": hairpin}}
    return lambda template: {**template, "controlPlane": {**template["controlPlane"], **ours}}


@contextmanager
def scene(hairpin: str, baked: Baked, folder: Path) -> Iterator[Scene]:
    made = site.make(folder, baked.site.image, change=spec(hairpin))
    made.render()
    with lab.opened(folder, operator=OPERATOR) as opened:
        opened.network.run("ip", "address", "add", f"{BALANCER}/24", "dev", BRIDGE)
        kubectl = Kubectl(network=opened.network, binary=toolbox.path("kubectl"), kubeconfig=made.kubeconfig)
        with layer4.balanced(opened.network.name, BALANCER, list(CONTROL_PLANES.values()), folder) as lost:
            yield Scene(opened=opened, made=made, baked=baked, kubectl=kubectl, lost=lost)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Machines that have become a cluster."""

    scene: Scene
    machines: dict[str, NspawnMachine]


@pytest.fixture(scope="module")
def cluster(baked: Baked, tmp_path_factory: pytest.TempPathFactory, report: list[str]) -> Iterator[Cluster]:
    with scene("local", baked, tmp_path_factory.mktemp("hairpin")) as found:
        machines = {name: found.machine(name) for name in NODES}
        started = time.monotonic()
        for each in machines.values():
            each.start()
        try:
            until("all nodes Ready", lambda: found.ready() == set(NODES), limit=400)
            until("their last words", lambda: all(map(is_done, machines.values())), limit=60)
        except (LabError, TimeoutError) as error:
            pytest.fail(f"{error}\n" + "\n".join(map(diagnosis, machines.values())))
        seconds = time.monotonic() - started
        report.append(
            f"two control planes behind a balancer that loses what comes back: all Ready after {seconds:.0f} s"
        )
        yield Cluster(scene=found, machines=machines)


def is_done(each: NspawnMachine) -> bool:
    return "phase=done status=ok" in each.console()


def held(each: NspawnMachine) -> bool:
    """Whether the balancer's address lies on the machine's loopback interface."""
    return f"{BALANCER}/32" in each.shell("ip -oneline address show dev lo").stdout


def test_control_planes_answer_the_endpoint_and_workers_do_not(cluster: Cluster) -> None:
    assert {name for name, each in cluster.machines.items() if held(each)} == set(CONTROL_PLANES)


def test_no_try_was_in_vain(cluster: Cluster) -> None:
    for each in cluster.machines.values():
        # A hook of the lab's workers fails once, by intent.
        retried = [line for line in each.console().splitlines() if "phase=kubeadm" in line and "status=retry" in line]
        assert not retried


def test_nobody_answers_arp_for_the_balancer(cluster: Cluster) -> None:
    worker = cluster.machines["worker1"]
    network = cluster.scene.opened.network
    # The balancer's own answer may be the first of several: while it gives none, there is none.
    network.run("ip", "address", "delete", f"{BALANCER}/24", "dev", BRIDGE)
    try:
        worker.shell(f"ip neighbour flush {BALANCER}; timeout 4 bash -c '</dev/tcp/{BALANCER}/6443'", check=False)
        assert "lladdr" not in worker.shell(f"ip neighbour show {BALANCER}").stdout
    finally:
        network.run("ip", "address", "add", f"{BALANCER}/24", "dev", BRIDGE)


def test_a_rebooted_control_plane_answers_it_before_its_kubelet(cluster: Cluster, report: list[str]) -> None:
    second, scene = cluster.machines["cp2"], cluster.scene
    second.power_cut()
    until("the other one alone", lambda: scene.kubectl.run("version"), limit=60)
    second.start()
    started = time.monotonic()
    until("its address", lambda: held(second), limit=60)
    own = f"--server=https://{CONTROL_PLANES['cp2']}:6443"
    until("its own API server", lambda: scene.kubectl.run(own, "get", "--raw", "/readyz"), limit=180)
    until("all nodes Ready", lambda: scene.ready() == set(NODES), limit=180)
    report.append(f"cp2 back behind the balancer after {time.monotonic() - started:.0f} s")
    asked = "systemctl show --property=ActiveEnterTimestampMonotonic --value"
    order = second.shell(f"{asked} imagegen-hairpin.service; {asked} kubelet.service").stdout.split()
    assert int(order[0]) < int(order[1])


def test_without_it_not_even_the_first_one_gets_there(baked: Baked, tmp_path: Path, report: list[str]) -> None:
    with scene("none", baked, tmp_path) as found:
        first = found.machine("cp1")
        first.start()
        started = time.monotonic()
        while time.monotonic() - started < ENOUGH:
            assert not is_done(first), first.console()
            time.sleep(2)
        assert "lost: 10.77.0.11 to itself" in found.lost.read_text()
        last = first.console().strip().splitlines()[-1]
    report.append(f"without hairpin: local, cp1 is not done after {ENOUGH} s: {last[:120]}")
