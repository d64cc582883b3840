"""Every fault of the table, on real machines with the real kubeadm: it bites, it is named, and what comes of it."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Interface
from typing import Any

import pytest

from imagegen.lab import lab
from imagegen.lab.network import BRIDGE
from tests.cluster import impostor, site, tracks
from tests.cluster.bake import Baked
from tests.cluster.faults import FAULTS, FULL
from tests.cluster.kubectl import Kubectl
from tests.cluster.scene import Scene
from tests.cluster.tracks import ADDRESSES, TRACKS
from tests.firstboot.authority import Authority
from tools import toolbox

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(3600)]

OPERATOR, ENDPOINT = IPv4Interface("10.77.0.1/24"), "10.77.0.5"


def spec(template: dict[str, Any]) -> dict[str, Any]:
    """The lab's without hooks; the endpoint is where the impostor stands, and each fault of a pool has a pool."""

    def pool(name: str, *nodes: str, **more: str) -> dict[str, Any]:
        return {"name": name, "nodes": [{"name": node, "address": ADDRESSES[node]} for node in nodes], **more}

    kept = {key: value for key, value in template.items() if key not in {"hooks", "files"}}
    plane = {**template["controlPlane"], "endpoint": f"{ENDPOINT}:{impostor.PORT}"}
    pools = [pool("late", "w1"), pool("workers", "w2", "w3"), pool("twins", nodeName="metadata")]
    return {**kept, "controlPlane": plane, "nodePools": pools}


@pytest.fixture(scope="module")
def scene(baked: Baked, tmp_path_factory: pytest.TempPathFactory, report: list[str]) -> Iterator[Scene]:
    """The lab in which every track has come to its end."""
    folder, started = tmp_path_factory.mktemp("faults"), time.monotonic()
    made = site.make(folder, baked.site.image, change=spec)
    made.render()
    tracks.twin_seed(made, "cp1")
    with lab.opened(folder, operator=OPERATOR) as opened:
        opened.network.run("ip", "address", "add", f"{ENDPOINT}/24", "dev", BRIDGE)
        kubectl = Kubectl(network=opened.network, binary=toolbox.path("kubectl"), kubeconfig=made.kubeconfig)
        front = impostor.Front(folder)
        for operator in (str(OPERATOR.ip), ENDPOINT):
            front.show(operator, impostor.PASS)
        found = Scene(opened=opened, baked=baked, site=made, kubectl=kubectl, front=front, folder=folder)
        _play(found)
        report.append(f"faults, {'FULL' if FULL else 'as CI runs them'}: {time.monotonic() - started:.0f} s for all")
        report += [f"  {name}: {'; '.join(figures)}" for name, figures in found.figures.items()]
        if not FULL:
            report.append("  left out, and run by `make cluster-test FULL=1`:")
            report += [f"  {fault.name}: {fault.full}" for fault in FAULTS if fault.full]
        yield found
    shutil.rmtree(folder, ignore_errors=True)


def _play(scene: Scene) -> None:
    """All tracks at once; the endpoint is taken when the control plane has been late."""
    stranger = Authority("kubernetes")
    answer = scene.folder / "cluster-info.json"
    endpoint = f"{ENDPOINT}:{impostor.PORT}"
    answer.write_text(impostor.cluster_info(endpoint, stranger.certificate, scene.token("workers")), encoding="utf-8")
    pair = stranger.sign_server(scene.folder)
    with ThreadPoolExecutor() as pool:
        running = []
        for name, (track, faults) in TRACKS.items():
            machine = scene.machine(name)
            if name == "cp1":
                tracks.hold_runtime(machine.root)
            machine.start()
            running.append(pool.submit(scene.run, faults, machine, track))
        scene.late.wait(2 * tracks.LATE + 120)
        network = scene.opened.network.name
        with impostor.standing(
            scene.front, network, address=ENDPOINT, backend=ADDRESSES["cp1"], pair=pair, answer=answer
        ):
            for each in running:
                each.result()


@pytest.mark.parametrize("name", [name for _, faults in TRACKS.values() for name in faults])
def test_fault(scene: Scene, name: str) -> None:
    assert name not in scene.failures, f"{scene.figures.get(name)}\n{scene.failures[name]}"
    assert scene.is_over(name)
    assert len(scene.figures[name]) > 1, "it has bitten, and was named"


def test_every_fault_of_the_table_is_run() -> None:
    here = {fault.name for fault in FAULTS if not fault.virtual}
    assert {name for _, faults in TRACKS.values() for name in faults} == here
