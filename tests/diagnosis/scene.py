"""What a machine in trouble is made of, and what it leaves."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.firstboot.authority import Authority
from tests.firstboot.documents import JOIN, WORKER
from tests.firstboot.machine import Machine
from tests.firstboot.members import Etcd, member
from tests.firstboot.servers import Cluster
from tests.firstboot.test_membership import ELSEWHERE, NODE, OTHER, publish


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a trouble is made of."""

    machine: Machine
    cluster: Cluster
    stranger: Authority
    patch: pytest.MonkeyPatch
    folder: Path

    def worker(self, **changes: object) -> Machine:
        """A worker whose cluster runs."""
        self.cluster.start()
        self.machine.stage(WORKER, **changes)
        return self.machine

    def plane(self, **changes: object) -> Machine:
        """A control plane that joins a cluster which runs."""
        self.cluster.start()
        self.machine.stage(JOIN, **changes)
        return self.machine

    @contextmanager
    def etcd(self, *members: dict[str, Any]) -> Iterator[Etcd]:
        """The etcd of another control plane, with these members beside its own."""
        folder = self.folder / "etcd"
        folder.mkdir()
        etcd = Etcd(self.cluster.authority, folder)
        etcd.members = [member(OTHER, "node-2", ELSEWHERE, etcd.url), *members]
        publish(self.machine, etcd.url)
        self.machine.answer("kubectl", json.dumps(NODE))
        try:
            yield etcd
        finally:
            etcd.stop()


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What a machine left: the console's lines, and its status."""

    lines: list[str]
    status: dict[str, Any]


Trouble = Callable[[Scene], Recording | None]
TROUBLES: dict[str, Trouble] = {}
NOTES = {
    "baked-already",
    "cluster-found",
    "etcd-data",
    "etcd-member-removed",
    "kubeconfig-missing",
    "no-manifest",
    "nothing-answers",
    "resumed",
    "wipe-incomplete",
}
"""What no node is stuck with: it says so in passing."""


def trouble(reason: str) -> Callable[[Trouble], Trouble]:
    """Enters what runs a machine into this reason."""

    def enter(make: Trouble) -> Trouble:
        TROUBLES[reason] = make
        return make

    return enter


def record(reason: str, scene: Scene) -> Recording:
    """Runs a machine into this reason."""
    recording = TROUBLES[reason](scene)
    return recording or Recording(lines=scene.machine.lines, status=scene.machine.status)
