"""Ten machines with one and the same user-data, all switched on in the same second as their control plane."""

from __future__ import annotations

import shutil
import time
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any

import pytest

from imagegen.lab import ground, lab
from imagegen.lab.process import LabError
from tests.cluster import site, timeline
from tests.cluster.bake import Baked
from tests.cluster.conftest import diagnosis
from tests.cluster.kubectl import Kubectl, is_ready, until
from tools import toolbox

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

OPERATOR = IPv4Interface("10.77.0.1/24")
FIRST = "10.77.0.11"
WORKERS = {f"worker{number}": f"10.77.0.{20 + number}" for number in range(1, 11)}


def spec(template: dict[str, Any]) -> dict[str, Any]:
    """The lab's with a pool that lists no nodes: its machines are told their names by NoCloud."""
    (pool,) = template["nodePools"]
    return {**template, "nodePools": [{**pool, "nodes": [], "nodeName": "metadata"}]}


def seed(made: site.Site, folder: Path, name: str) -> Path:
    """The pool's user-data, and what tells one of its machines apart from the others, as a hypervisor would say it."""
    own = folder / name
    own.mkdir()
    shutil.copyfile(made.rendered / "user-data/worker-workers.yaml", own / "user-data")
    (own / "meta-data").write_text(f"instance-id: {name}\nlocal-hostname: {name}\n", encoding="utf-8")
    network = (made.seed("cp1") / "network-config").read_text(encoding="utf-8")
    (own / "network-config").write_text(network.replace(FIRST, WORKERS[name]), encoding="utf-8")
    return own


def test_ten_workers_join_at_the_same_moment(
    baked: Baked, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, report: list[str]
) -> None:
    made = site.make(tmp_path_factory.mktemp("pool"), baked.site.image, change=spec)
    made.render()
    seeds = {"cp1": made.seed("cp1"), **{name: seed(made, tmp_path, name) for name in WORKERS}}
    with lab.opened(tmp_path, operator=OPERATOR) as opened:
        kubectl = Kubectl(network=opened.network, binary=toolbox.path("kubectl"), kubeconfig=made.kubeconfig)
        machines = [opened.nspawn(name, baked.disk) for name in seeds]
        for machine in machines:
            ground.prepare(machine.root, seeds[machine.name])
        started = time.time()
        for machine in machines:
            machine.start()
        try:
            until("all nodes Ready", lambda: sum(map(is_ready, kubectl.items("nodes"))) == len(seeds), limit=400)
        except (LabError, TimeoutError) as error:
            pytest.fail(f"{error}\n" + "\n".join(map(diagnosis, machines)))
        nodes = {node["metadata"]["name"]: node for node in kubectl.items("nodes")}
        assert set(nodes) == set(seeds)
        report.append("ten workers of one user-data beside their control plane:")
        report += [str(timeline.measure(each, nodes[each.name], started=started)) for each in machines]
