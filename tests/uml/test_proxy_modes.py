"""kube-proxy's default modes, on machines with a kernel of their own, whose power fails at random moments."""

from __future__ import annotations

import functools
import random
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from imagegen.lab.process import LabError
from tests.cluster import timeline
from tests.cluster.conftest import diagnosis
from tests.cluster.kubectl import Kubectl, is_ready, until
from tests.cluster.test_cluster import NODE_PORT, WEB
from tests.uml.conftest import NODES, Room
from tests.uml.machine import UmlMachine
from tests.uml.modes import IPVS_MODE, NFTABLES_MODE, Mode, connections
from tools.releases import Release

pytestmark = [pytest.mark.uml, pytest.mark.timeout(3600)]

READY_LIMIT, ANSWER_LIMIT = 1200, 300
WINDOW = 100.0
"""Seconds from when a machine is switched on, within which its power fails."""
CUTS = 3
LISTED = "cat /etc/modules-load.d/*.conf | sed '/^#/d;/^$/d'"
ASKED = 20
_POD_PORT = 8080
ASK = """
import urllib.request
for _ in range({times}):
    print(urllib.request.urlopen("http://{where}", timeout=10).read().decode().strip())
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """A cluster to make, and how often each machine's power fails on the way."""

    mode: Mode
    cuts: int = 0

    def __str__(self) -> str:
        return f"{self.mode.name}, {self.cuts} power cuts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Machines that have become a cluster, and a Service of two pods in it."""

    mode: Mode
    machines: dict[str, UmlMachine]
    kubectl: Kubectl
    address: str
    """The Service's own, with its port."""

    def pods(self) -> dict[str, str]:
        """The addresses of the Deployment's pods that are Ready, by name."""
        pods = self.kubectl.items("pods", "--selector=app=web")
        return {pod["metadata"]["name"]: pod["status"]["podIP"] for pod in pods if is_ready(pod)}

    def serve(self, node: str, address: str) -> bool:
        """Whether the kernel of a node has all these pods, and nothing else, behind an address and port."""
        return self.mode.servers(self.machines[node], address) == {f"{pod}:{_POD_PORT}" for pod in self.pods().values()}


SETUPS = (Setup(mode=IPVS_MODE), Setup(mode=IPVS_MODE, cuts=CUTS), Setup(mode=NFTABLES_MODE))
ON_IPVS = [setup for setup in SETUPS if setup.mode is IPVS_MODE]


@pytest.fixture(scope="module", params=SETUPS, ids=str)
def cluster(
    request: pytest.FixtureRequest,
    room: Callable[[Release, Path], AbstractContextManager[Room]],
    tmp_path_factory: pytest.TempPathFactory,
    report: list[str],
) -> Iterator[Cluster]:
    """Switch on both at once, and wait for what comes of it, whatever happens to their power meanwhile."""
    setup: Setup = request.param
    report.append(f"{setup}, Kubernetes {setup.mode.release.version}:")
    with room(setup.mode.release, tmp_path_factory.mktemp("lab")) as opened:
        started = {}
        for name, machine in opened.machines.items():
            started[name] = time.time()
            machine.start()
        try:
            report.extend(cut(opened.machines, setup.cuts))
            until("all nodes Ready", lambda: _ready(opened.kubectl) == set(NODES), limit=READY_LIMIT)
            if not setup.cuts:
                report.extend(map(str, _times(opened, started)))
            opened.kubectl.run("apply", f"--filename={WEB}")
            (service,) = opened.kubectl.items("services", "--field-selector=metadata.name=web")
            address = f"{service['spec']['clusterIP']}:{service['spec']['ports'][0]['port']}"
            made = Cluster(mode=setup.mode, machines=opened.machines, kubectl=opened.kubectl, address=address)
            until("both pods Ready", lambda: len(made.pods()) == len(NODES), limit=ANSWER_LIMIT)
        except (AssertionError, LabError, TimeoutError) as error:
            pytest.fail(f"{error}\n" + "\n".join(map(diagnosis, opened.machines.values())))
        yield made


def cut(machines: dict[str, UmlMachine], times: int) -> Iterator[str]:
    """Let each machine's power fail so often, each time at a random moment after it came; what each was at then."""
    seed = secrets.randbelow(10**9)
    chance = random.Random(seed)  # noqa: S311  no secret
    if times:
        yield f"power cuts, seed {seed}:"
    for number in range(times):
        moments = sorted((chance.uniform(0, WINDOW), name) for name in machines)
        began = time.monotonic()
        for moment, name in moments:
            time.sleep(max(0.0, began + moment - time.monotonic()))
            machines[name].power_cut()
            yield f"  {name}, {number + 1}: after {moment:.1f} s, at {_last_phase(machines[name])}"
            machines[name].start()


def _last_phase(machine: UmlMachine) -> str:
    boot = machine.console().rpartition("Linux version")[2]
    phases = [found[1] for found in re.finditer(r"imagegen: (phase=\S+ status=\S+)", boot)]
    return phases[-1] if phases else "boot"


def _ready(kubectl: Kubectl) -> set[str]:
    return {node["metadata"]["name"] for node in kubectl.items("nodes") if is_ready(node)}


def _times(opened: Room, started: dict[str, float]) -> Iterator[timeline.NodeTimes]:
    for node in opened.kubectl.items("nodes"):
        name = node["metadata"]["name"]
        yield timeline.measure(opened.machines[name], node, started=started[name])


@pytest.mark.parametrize("node", NODES)
def test_the_image_s_lists_have_loaded_every_module_before_any_kubelet_ran(cluster: Cluster, node: str) -> None:
    machine = cluster.machines[node]
    listed = machine.shell(LISTED).stdout.split()
    assert {"ip_vs", "ip_vs_rr", "ip_vs_wrr", "ip_vs_sh", "nf_conntrack", "overlay", "br_netfilter"} <= set(listed)
    loaded = {line.split()[0] for line in machine.shell("lsmod").stdout.splitlines()[1:]}
    assert set(listed) <= loaded
    asked = "systemctl show systemd-modules-load kubelet containerd --property=ExecMainStartTimestampMonotonic --value"
    modules, *others = map(int, machine.shell(asked).stdout.split())
    assert 0 < modules < min(others)
    registered = machine.shell(
        "journalctl --boot --dmesg --output=short-monotonic --grep='IPVS: .sh. scheduler'"
    ).stdout
    assert float(registered.split("]")[0].strip("[ ")) * 1e6 < min(others)


def test_kube_proxy_has_its_release_s_default_mode(cluster: Cluster) -> None:
    for node, machine in cluster.machines.items():
        assert ask(machine, "127.0.0.1:10249/proxyMode") == [cluster.mode.name], node


@pytest.mark.parametrize("node", NODES)
def test_the_kernel_has_the_service_s_pods_behind_every_address(cluster: Cluster, node: str) -> None:
    for address in (cluster.address, f"{NODES[node]}:{NODE_PORT}"):
        until(address, functools.partial(cluster.serve, node, address), limit=ANSWER_LIMIT)


@pytest.mark.parametrize("node", NODES)
def test_a_node_s_requests_to_the_service_reach_both_pods(cluster: Cluster, node: str) -> None:
    assert from_inside(cluster, node) == set(cluster.pods())


@pytest.mark.parametrize("node", NODES)
def test_requests_from_outside_reach_both_pods(cluster: Cluster, node: str) -> None:
    assert from_outside(cluster, node) == set(cluster.pods())


@pytest.mark.parametrize("cluster", ON_IPVS, ids=str, indirect=True)
@pytest.mark.parametrize("node", NODES)
def test_it_is_ipvs_that_takes_them_there(cluster: Cluster, node: str) -> None:
    count = functools.partial(connections, cluster.machines[node])
    for address, ask in ((cluster.address, from_inside), (f"{NODES[node]}:{NODE_PORT}", from_outside)):
        before = until("a count at rest", functools.partial(_at_rest, count, address), limit=60)
        ask(cluster, node)
        after = until("a count at rest", functools.partial(_at_rest, count, address), limit=60)
        assert sum(after.values()) == sum(before.values()) + ASKED
        assert all(after[server] > before[server] for server in before)


def _at_rest(count: Callable[[str], dict[str, int]], address: str) -> dict[str, int]:
    """Connections by server, once no more are added: the kernel sums its processors' counts up every 2 seconds."""
    before = count(address)
    time.sleep(5)
    after = count(address)
    return after if after == before else {}


def from_inside(cluster: Cluster, node: str) -> set[str]:
    """Who answers a node's requests to the Service's own address."""
    return set(ask(cluster.machines[node], f"{cluster.address}/", times=ASKED))


def ask(machine: UmlMachine, where: str, *, times: int = 1) -> list[str]:
    """What is answered to a machine's own requests."""
    return machine.shell(f"python3 -c '{ASK.format(times=times, where=where)}'", timeout=120).stdout.split()


def from_outside(cluster: Cluster, node: str) -> set[str]:
    """Who answers the operator's requests to a node's port."""
    ask = functools.partial(cluster.kubectl.network.run, "curl", "-sf", "-m", "10")
    return {ask(f"http://{NODES[node]}:{NODE_PORT}/").stdout.strip() for _ in range(ASKED)}


def test_nobody_answers_on_a_port_that_no_service_has(cluster: Cluster) -> None:
    with pytest.raises(LabError):
        cluster.kubectl.network.run("curl", "-sf", "-m", "5", f"http://{NODES['cp1']}:{NODE_PORT + 1}/")


def test_pods_reach_both_pods_by_the_service_s_name(cluster: Cluster) -> None:
    ask = " && ".join(ASKED * ["wget -q -O - http://web.default.svc.cluster.local"])
    for pod in cluster.pods():
        exec_in = functools.partial(cluster.kubectl.run, "exec", pod, "--", "sh", "-c", ask, timeout=300)
        until(f"{pod} reaches both", functools.partial(_reaches, exec_in, cluster), limit=ANSWER_LIMIT)


def _reaches(ask: Callable[[], str], cluster: Cluster) -> bool:
    return set(ask().split()) == set(cluster.pods())


def test_it_all_comes_back_when_the_power_of_both_has_failed_at_once(cluster: Cluster, report: list[str]) -> None:
    before = set(cluster.pods())
    for machine in cluster.machines.values():
        machine.power_cut()
    began = time.monotonic()
    for machine in cluster.machines.values():
        machine.start()
    until("both pods answer again", lambda: from_outside(cluster, "worker1") == before, limit=READY_LIMIT)
    report.append(f"power of both cut at once: both pods answer again after {time.monotonic() - began:.0f} s")
    for node in NODES:
        until(f"{node} serves both", functools.partial(cluster.serve, node, cluster.address), limit=ANSWER_LIMIT)
        assert from_inside(cluster, node) == before
