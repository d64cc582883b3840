"""One machine from a disk, until its node is Ready."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Interface
from pathlib import Path

import pytest

from imagegen.lab import ground, lab
from imagegen.lab.nspawn import NspawnMachine
from imagegen.lab.process import LabError
from tests.cluster import timeline
from tests.cluster.conftest import diagnosis
from tests.cluster.kubectl import Kubectl, is_ready, until
from tests.cluster.site import Site
from tools import toolbox

NODE, OPERATOR = "cp1", IPv4Interface("10.77.0.1/24")


@contextmanager
def control_plane(disk: Path, site: Site, folder: Path, report: list[str]) -> Iterator[NspawnMachine]:
    """The site's control plane from a baked disk, Ready, in a lab of its own below `folder`."""
    with lab.opened(folder, operator=OPERATOR) as opened:
        machine = opened.nspawn(NODE, disk)
        ground.prepare(machine.root, site.seed(NODE))
        kubectl = Kubectl(network=opened.network, binary=toolbox.path("kubectl"), kubeconfig=site.kubeconfig)
        started = time.time()
        machine.start()
        try:
            until("the node Ready", lambda: all(map(is_ready, nodes := kubectl.items("nodes"))) and nodes, limit=300)
        except (LabError, TimeoutError) as error:
            pytest.fail(f"{error}\n{diagnosis(machine)}")
        (found,) = kubectl.items("nodes")
        report.append(str(timeline.measure(machine, found, started=started)))
        yield machine
