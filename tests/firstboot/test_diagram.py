"""The diagram in docs/first-boot.md: its edges are those of the phases' table, and a machine walks each of them."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from bootstrap import probe
from bootstrap.phases import AFTER, BEFORE, INIT, INIT_MODE, JOIN_MODE, PHASES, ROLES

from tests.firstboot.documents import JOIN, SHARED, WORKER
from tests.firstboot.machine import Machine
from tests.firstboot.servers import Cluster

DOC = (Path(__file__).parents[2] / "docs/first-boot.md").read_text()
Edges = set[tuple[str, str]]
ON, BACK = "-->", "-.->"


def drawn(arrow: str) -> Edges:
    """The edges of one kind; a node is written by its name, or once as `alias[name]`."""
    text = DOC.partition("```mermaid\n")[2].partition("```")[0]
    names: dict[str, str] = dict(re.findall(r"(\S+)\[(\S+)\]", text))
    edges: Edges = set()
    for line in re.sub(r"\[\S+\]", "", text).splitlines()[1:]:
        nodes: list[str] = re.split(r" (-->|-\.->)(?:\|[^|]*\|)? ", line.strip())
        for start, kind, end in zip(nodes[0::2], nodes[1::2], nodes[2::2], strict=False):
            if kind == arrow:
                edges.add((names.get(start, start), names.get(end, end)))
    return edges


def possible() -> Edges:
    """The ways through the table: a phase and the next that applies, for every role and both ways into the cluster."""
    ways = [(role, mode) for role in ROLES for mode in (INIT_MODE, JOIN_MODE) if role == INIT or mode == JOIN_MODE]
    paths = [[phase.name for phase in PHASES if role in phase.roles and mode in phase.modes] for role, mode in ways]
    return {step for path in paths for step in pairwise(path)}


def walked(machine: Machine) -> tuple[Edges, Edges]:
    """How this machine went from phase to phase: on, and back after a failed try."""
    lines = [re.fullmatch(r"phase=(\S+) status=(ok|retry)\b.*", line) for line in machine.story]
    ends = [(line[1], line[2]) for line in lines if line]
    steps = [(start, status, end) for (start, status), (end, _) in pairwise(ends)]
    on = {(start, end) for start, status, end in steps if status == "ok"}
    back = {(start, end) for start, status, end in steps if status == "retry" and start != end}
    return on, back


def give_hooks(machine: Machine) -> None:
    """One of each stage: without them, the machine goes past these phases."""
    for stage in (BEFORE, AFTER):
        machine.write(f"/etc/imagegen/hooks/{stage}/10-nothing", "#!/bin/sh\n").chmod(0o700)


def past_optional(edges: Edges) -> Edges:
    """The same ways for a machine that has no hooks, or whose hooks have been run; or that lacks a setting."""
    short = set(edges)
    for stage in [phase.name for phase in PHASES if phase.hooks or phase.setting]:
        short |= {(start, end) for start, optional in short for again, end in short if optional == again == stage}
    return short


# A role, whether the cluster runs already, and what kubeadm's first try does.
SCENES = {
    "the first node, whose first try fails": (INIT, False, "kubeadm-init"),
    "the first node, where the cluster runs": (INIT, True, ""),
    "a control plane": (JOIN, True, ""),
    "a control plane that is like all others": (SHARED, True, ""),
    "a worker, whose first try fails": (WORKER, True, "kubeadm-join"),
}


def play(scene: str, machine: Machine, cluster: Cluster) -> tuple[Edges, Edges]:
    role, runs, fails = SCENES[scene]
    if runs:
        cluster.start()
    machine.stage(
        role,
        hairpin="local",
        kubeVip={"initKubeconfig": "/etc/kubernetes/super-admin.conf"},
        keepalived={"controlPlanes": ["192.168.0.11"]},
        **({"firstNode": ["elsewhere"]} if role == SHARED else {}),
    )
    give_hooks(machine)
    if fails:
        machine.plan(fails, "exit 1")
    assert machine.boot() == 0
    return walked(machine)


def test_the_diagram_is_the_table_s() -> None:
    assert drawn(ON) == possible()
    assert drawn(BACK) == {(phase.name, phase.again) for phase in PHASES if phase.again}


@pytest.fixture(autouse=True)
def _no_api_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "is_ready", lambda *_: False)


@pytest.mark.parametrize("scene", SCENES)
def test_a_machine_keeps_to_the_diagram(scene: str, machine: Machine, cluster: Cluster) -> None:
    on, back = play(scene, machine, cluster)
    assert on <= past_optional(drawn(ON))
    assert back <= drawn(BACK)


def test_every_edge_is_walked(tmp_path: Path, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    on: Edges = set()
    back: Edges = set()
    for number, scene in enumerate(SCENES):
        cluster.stop()
        folder = tmp_path / str(number)
        folder.mkdir()
        machine = Machine(folder, cluster)
        monkeypatch.setenv("PATH", f"{machine.bin}:/usr/bin:/bin")
        steps, returns = play(scene, machine, cluster)
        on |= steps
        back |= returns
    assert drawn(ON) - on == set()
    assert drawn(BACK) - back == set()
    # Counted, so that an edge that neither the page nor a machine knows any more is missed.
    assert (len(drawn(ON)), len(drawn(BACK))) == (25, 2)
