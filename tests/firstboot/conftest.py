"""Machines and clusters for the first boot; the program itself is put on the path as it is on a node."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

_SOURCES = Path(__file__).parents[2] / "packer/files/usr/local/lib/imagegen/firstboot"
# Or as machines have it that install themselves (tests/stock/test_packed.py).
FIRSTBOOT = Path(os.environ.get("IMAGEGEN_FIRSTBOOT", _SOURCES))
# The folder is copied into images as it is: no test may leave compiled files in it.
sys.dont_write_bytecode = True
sys.path.insert(0, str(FIRSTBOOT))

from tests.firstboot.authority import Authority  # noqa: E402
from tests.firstboot.machine import Machine  # noqa: E402
from tests.firstboot.servers import Cluster  # noqa: E402


@pytest.fixture(scope="session")
def authority() -> Authority:
    """The CA of our cluster."""
    return Authority("kubernetes")


@pytest.fixture(scope="session")
def stranger() -> Authority:
    """Another CA of the same name."""
    return Authority("kubernetes")


@pytest.fixture
def cluster(authority: Authority, tmp_path: Path) -> Iterator[Cluster]:
    """The endpoint of the cluster; nothing answers until it is started."""
    cluster = Cluster(authority, tmp_path)
    yield cluster
    cluster.stop()


@pytest.fixture
def running(cluster: Cluster) -> Cluster:
    """The endpoint, with our API server behind it."""
    cluster.start()
    return cluster


@pytest.fixture
def machine(tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine whose user-data names this endpoint."""
    machine = Machine(tmp_path, cluster)
    monkeypatch.setenv("PATH", f"{machine.bin}:/usr/bin:/bin")
    return machine
