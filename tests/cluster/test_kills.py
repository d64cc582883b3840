"""Twenty machines whose power fails once, at a random moment of kubeadm's: collected with `FULL=1` alone."""

from __future__ import annotations

import random
import secrets
from collections.abc import Iterator
from ipaddress import IPv4Interface
from pathlib import Path

import pytest

from imagegen.lab import lab
from tests.cluster.bake import Baked
from tests.cluster.conftest import diagnosis
from tests.cluster.impostor import Front
from tests.cluster.kubectl import Kubectl
from tests.cluster.scene import Scene
from tests.cluster.tracks import INIT_WINDOW, JOIN_WINDOW
from tools import toolbox

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

OPERATOR = IPv4Interface("10.77.0.1/24")
TRIES = range(1, 11)


@pytest.fixture(scope="module")
def chance(report: list[str]) -> random.Random:
    """Another one each time; its seed is told."""
    seed = secrets.randbelow(10**9)
    report.append(f"kills at random moments, seed {seed}:")
    return random.Random(seed)  # noqa: S311  no secret


def scene_in(opened: lab.Lab, baked: Baked, folder: Path) -> Scene:
    kubectl = Kubectl(network=opened.network, binary=toolbox.path("kubectl"), kubeconfig=baked.site.kubeconfig)
    return Scene(opened=opened, baked=baked, site=baked.site, kubectl=kubectl, front=Front(folder), folder=folder)


def attempt(scene: Scene, name: str, node: str, seconds: float) -> str:
    """A fresh machine, killed once; what came of it."""
    machine = scene.machine(node)
    machine.log.unlink(missing_ok=True)
    machine.start()
    try:
        scene.killed(name, machine, seconds)
        scene.ready(machine, name)
    except (AssertionError, TimeoutError) as error:
        pytest.fail(f"{error}\n{diagnosis(machine)}")
    if node != "cp1":
        machine.power_cut()
        machine.close()
        scene.kubectl.run("delete", "node", node)
    return "; ".join(scene.figures.pop(name))


@pytest.mark.parametrize("number", TRIES)
def test_in_init(baked: Baked, tmp_path: Path, chance: random.Random, report: list[str], number: int) -> None:
    seconds = chance.uniform(0, INIT_WINDOW)
    with lab.opened(tmp_path, operator=OPERATOR) as opened:
        scene = scene_in(opened, baked, tmp_path)
        said = attempt(scene, "killed-in-init", "cp1", seconds)
    report.append(f"  init {number}: {said}")


@pytest.fixture(scope="module")
def joined(baked: Baked, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A control plane that is Ready."""
    folder = tmp_path_factory.mktemp("joins")
    with lab.opened(folder, operator=OPERATOR) as opened:
        scene = scene_in(opened, baked, folder)
        scene.machine("cp1").start()
        scene.api()
        yield scene


@pytest.mark.parametrize("number", TRIES)
def test_in_join(joined: Scene, chance: random.Random, report: list[str], number: int) -> None:
    seconds = chance.uniform(0, JOIN_WINDOW)
    said = attempt(joined, "killed-in-join", "worker1", seconds)
    report.append(f"  join {number}: {said}")
