"""Control planes that start in the same second do not join in the same one."""

from __future__ import annotations

import json

import pytest
from bootstrap.turn import APART, PLACES, place

from tests.firstboot.documents import INIT, JOIN, WORKER
from tests.firstboot.machine import Machine

pytestmark = pytest.mark.usefixtures("running")


def put_at(machine: Machine, address: str) -> None:
    links = [{"ifname": "eth0", "addr_info": [{"local": address, "scope": "global"}]}]
    machine.answer("ip", json.dumps(links))


def began(machine: Machine) -> float:
    """When kubeadm was first run."""
    (entry,) = [phase for phase in machine.status["phases"] if phase["name"] == "turn"]
    return float(entry["seconds"])


@pytest.mark.parametrize("role", [JOIN, INIT])
def test_neighbours_join_apart(machine: Machine, role: str) -> None:
    put_at(machine, "192.168.0.13")
    machine.stage(role)
    assert machine.boot() == 0
    waited = place("192.168.0.13") * APART
    assert waited > 0
    assert began(machine) == waited
    assert "phase=turn status=waiting reason=turn" in machine.story


def test_any_six_neighbours_have_places_of_their_own() -> None:
    for start in range(1, 200):
        assert len({place(f"10.0.0.{start + step}") for step in range(PLACES)}) == PLACES
    assert len({place(f"fd00::{step}") for step in range(PLACES)}) == PLACES


def test_who_is_first_in_the_row_says_nothing(machine: Machine) -> None:
    address = next(f"192.168.0.{n}" for n in range(20, 30) if place(f"192.168.0.{n}") == 0)
    put_at(machine, address)
    machine.stage(JOIN)
    assert machine.boot() == 0
    assert [line for line in machine.story if "turn" in line] == ["phase=turn status=ok"]
    assert machine.clock.elapsed() == 0


def test_only_the_first_try_waits_for_its_turn(machine: Machine) -> None:
    put_at(machine, "192.168.0.13")
    machine.stage(JOIN)
    machine.plan("kubeadm-join", "exit 1")
    assert machine.boot() == 0
    assert machine.story.count("phase=turn status=waiting reason=turn") == 1
    assert machine.story.count("phase=turn status=ok") == 2


def test_workers_wait_for_nobody(machine: Machine) -> None:
    put_at(machine, "192.168.0.13")
    machine.stage(WORKER)
    assert machine.boot() == 0
    assert not [line for line in machine.story if "turn" in line]
