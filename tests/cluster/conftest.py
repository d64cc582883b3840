"""One cluster for all tests here: rendered, baked, booted, and nothing of it left behind."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any

import pytest

from imagegen.lab import disk, ground, lab
from imagegen.lab.machine import Machine
from imagegen.lab.nspawn import NspawnMachine
from imagegen.lab.process import LabError
from tests.cluster import faithful, timeline
from tests.cluster.bake import BUILDER, QUICK, Baked, bake
from tests.cluster.faults import FULL
from tests.cluster.kubectl import Kubectl, condition, is_ready, until
from tests.cluster.site import Site
from tests.support import programs
from tools import toolbox
from tools.base import base

OPERATOR = IPv4Interface("10.77.0.1/24")
NODES = {"cp1": "10.77.0.11", "worker1": "10.77.0.21", "worker2": "10.77.0.22"}
KUBELET_SERVING = "kubernetes.io/kubelet-serving"
REPORT = pytest.StashKey[list[str]]()
collect_ignore = [] if FULL else ["test_kills.py", "test_upgrade.py"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Machines that wait for power, and what is not right about their disks."""

    lab: lab.Lab
    machines: tuple[NspawnMachine, ...]
    undeclared: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Machines that have become a cluster."""

    prepared: Prepared
    kubectl: Kubectl
    times: tuple[timeline.NodeTimes, ...]


def pytest_configure(config: pytest.Config) -> None:
    config.stash[REPORT] = []


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    lines = config.stash[REPORT]
    if lines:
        terminalreporter.section("cluster")
    for line in lines:
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def report(pytestconfig: pytest.Config) -> list[str]:
    """Lines that are shown at the end of the run, whether it passes or not."""
    return pytestconfig.stash[REPORT]


@pytest.fixture(scope="session")
def baked(tmp_path_factory: pytest.TempPathFactory, report: list[str]) -> Iterator[Baked]:
    programs.require()
    report.append(f"image baked by: {BUILDER}" + (", NOT by Packer: a quick look only" if QUICK else ""))
    started = time.monotonic()
    result = bake(tmp_path_factory.mktemp("site"))
    report.append(f"image there after {time.monotonic() - started:.0f} s: fingerprint {result.fingerprint}")
    yield result
    if QUICK:
        result.disk.unlink()


@pytest.fixture(scope="session")
def site(baked: Baked) -> Site:
    return baked.site


@pytest.fixture(scope="session")
def opened(baked: Baked, tmp_path_factory: pytest.TempPathFactory) -> Iterator[lab.Lab]:
    """A lab that is opened when the bake, which may have had one of its own, is over."""
    assert baked.disk.exists()
    with lab.opened(tmp_path_factory.mktemp("lab"), operator=OPERATOR) as opened:
        yield opened


@pytest.fixture(scope="session")
def pristine(baked: Baked, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The baked disk as it is, read-only."""
    folder = tmp_path_factory.mktemp("pristine")
    raw = disk.copy_raw(baked.disk, folder / "pristine.raw")
    with disk.mounted(raw, folder / "root", read_only=True) as root:
        yield root
    raw.unlink()


@pytest.fixture(scope="session")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The base disk that everything is baked from, read-only."""
    folder = tmp_path_factory.mktemp("base")
    raw = disk.copy_raw(base().disk, folder / "base.raw")
    with disk.mounted(raw, folder / "root", read_only=True) as root:
        yield root
    raw.unlink()


@pytest.fixture(scope="session")
def prepared(baked: Baked, opened: lab.Lab, pristine: Path, report: list[str]) -> Prepared:
    """A machine for each node, its disk made ready for the ground and compared with the pristine one."""
    report += ["changes to each machine's disk, made by the ground:", *ground.table()]
    machines = tuple(_machine(opened, name, baked) for name in NODES)
    undeclared = tuple(
        f"{machine.name}: {line}"
        for machine in machines
        for line in faithful.undeclared(pristine, machine.root, baked.site.seed(machine.name))
    )
    return Prepared(lab=opened, machines=machines, undeclared=undeclared)


def _machine(opened: lab.Lab, name: str, baked: Baked) -> NspawnMachine:
    machine = opened.nspawn(name, baked.disk)
    ground.prepare(machine.root, baked.site.seed(name))
    return machine


@pytest.fixture(scope="session")
def cluster(prepared: Prepared, baked: Baked, report: list[str]) -> Cluster:
    """Power on everything at once, and wait for what comes of it."""
    kubectl = Kubectl(network=prepared.lab.network, binary=toolbox.path("kubectl"), kubeconfig=baked.site.kubeconfig)
    started = {}
    for machine in prepared.machines:
        started[machine.name] = time.time()
        machine.start()
    try:
        until("all nodes Ready", lambda: _all_ready(kubectl), limit=300)
        # A kubelet that waits for its certificate lets nobody into a pod.
        until("all kubelets serving", lambda: _all_serve(kubectl), limit=60)
    except (LabError, TimeoutError) as error:
        pytest.fail(f"{error}\n" + "\n".join(map(diagnosis, prepared.machines)))
    nodes = {node["metadata"]["name"]: node for node in kubectl.items("nodes")}
    times = tuple(
        timeline.measure(machine, nodes[machine.name], started=started[machine.name]) for machine in prepared.machines
    )
    report.extend(map(str, times))
    return Cluster(prepared=prepared, kubectl=kubectl, times=times)


def _all_ready(kubectl: Kubectl) -> bool:
    nodes = kubectl.items("nodes")
    return {node["metadata"]["name"] for node in nodes} == set(NODES) and all(map(is_ready, nodes))


def _all_serve(kubectl: Kubectl) -> bool:
    """Whether the API server gets through to every kubelet, and knows it by its certificate."""
    return all(kubectl.run("get", "--raw", f"/api/v1/nodes/{name}/proxy/healthz") == "ok" for name in NODES)


def serving_requests(kubectl: Kubectl, kind: str) -> list[dict[str, Any]]:
    """The kubelets' requests for serving certificates that have this condition."""
    found = kubectl.items("certificatesigningrequests", f"--field-selector=spec.signerName={KUBELET_SERVING}")
    return [one for one in found if condition(one, kind)]


def diagnosis(machine: Machine) -> str:
    """What a machine has to say when it did not become a node."""
    asked = (
        "cat /var/lib/imagegen/status.json; systemctl --failed --no-pager --plain;"
        " journalctl --no-pager -n 60 -u imagegen-bootstrap; journalctl --no-pager -n 30 -u kubelet -u containerd;"
        " journalctl --no-pager -n 20 -u imagegen-approver"
    )
    try:
        heard = machine.shell(asked, check=False).stdout
    except LabError as error:
        heard = str(error)
    return f"--- {machine.name}: console\n{machine.console()[-4000:]}\n--- {machine.name}: inside\n{heard}"
