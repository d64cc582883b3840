"""The waits: for how long, for what reason, and what comes after."""

from __future__ import annotations

import json

import pytest

from tests.firstboot.documents import INIT, WORKER
from tests.firstboot.machine import ADDRESSES, START, Machine
from tests.firstboot.servers import SIGNED, Cluster

HOUR, DAY = 3600, 86400


@pytest.fixture
def worker(machine: Machine, cluster: Cluster) -> Machine:
    """A worker whose cluster runs."""
    cluster.start()
    machine.stage(WORKER)
    return machine


def waited(machine: Machine, phase: str) -> float:
    return next(float(entry["seconds"]) for entry in machine.status["phases"] if entry["name"] == phase)


def test_runtime_comes_late(worker: Machine) -> None:
    worker.plan("ctr---address", *["echo 'no socket' >&2; exit 1"] * 5)
    assert worker.boot() == 0
    assert worker.story[2:4] == ["phase=runtime status=waiting reason=runtime-silent", "phase=runtime status=ok"]
    assert worker.calls[0] == "ctr --address /run/containerd/containerd.sock version"


def test_runtime_that_stays_away_is_told_and_tried_again(worker: Machine) -> None:
    worker.script("ctr", "echo 'no socket' >&2; exit 1")
    assert worker.boot(until=400) is None
    assert "phase=runtime status=retry reason=runtime-silent" in worker.story
    assert worker.story[-1] == "phase=runtime status=waiting reason=runtime-silent"
    assert "no socket" in worker.status["message"]


@pytest.mark.parametrize("role", [WORKER, INIT])
def test_clock_that_is_set_late(machine: Machine, cluster: Cluster, role: str) -> None:
    if role == WORKER:
        cluster.start()
    machine.stage(role)
    machine.clock.start = START - 30 * DAY
    machine.clock.at(60, lambda: setattr(machine.clock, "start", START))
    assert machine.boot() == 0
    assert machine.story[3] == "phase=clock status=waiting reason=clock-behind"
    assert "phase=clock status=ok" in machine.story


def test_clock_that_is_never_set_does_not_hold_the_node_for_ever(worker: Machine) -> None:
    worker.clock.start = 0
    assert worker.boot() == 0
    assert "phase=clock status=ok reason=clock-behind" in worker.story
    assert 300 <= waited(worker, "clock") < 320
    (line,) = [line for line in worker.lines if "phase=clock status=ok" in line]
    assert "the clock says 1970-01-01T00:05:04Z, which is before 2026-11-21T08:00:00Z" in line


def test_clock_before_the_images_birth(worker: Machine) -> None:
    worker.write("/etc/imagegen/image.json", json.dumps({"contract": 1, "builtBy": {"at": "2026-11-23T08:00:00Z"}}))
    assert worker.boot() == 0
    assert "phase=clock status=waiting reason=clock-behind" in worker.story


def test_address_comes_late(worker: Machine) -> None:
    worker.answer("ip", json.dumps(ADDRESSES[:1]))
    worker.clock.at(20, lambda: worker.answer("ip", json.dumps(ADDRESSES)))
    assert worker.boot() == 0
    assert worker.story[4:6] == ["phase=settle status=waiting reason=address-not-found", "phase=settle status=ok"]


def test_address_that_stays_away(worker: Machine) -> None:
    links = [{"ifname": "eth0", "addr_info": [{"local": "10.1.1.1", "scope": "global"}]}]
    worker.answer("ip", json.dumps(links))
    assert worker.boot(until=400) is None
    assert "phase=settle status=retry reason=address-not-found" in worker.story
    assert worker.status["message"].startswith("no address on 192.168.0.0/24; this machine has 10.1.1.1 on eth0")
    assert not worker.calls_of("kubeadm")


def test_a_machine_without_a_name_of_its_own_waits(worker: Machine) -> None:
    worker.write("/proc/sys/kernel/hostname", "localhost\n")
    worker.clock.at(20, lambda: worker.write("/proc/sys/kernel/hostname", "node-1\n"))
    assert worker.boot() == 0
    assert "phase=settle status=waiting reason=hostname-not-set" in worker.story


def test_endpoint_is_waited_for_as_long_as_it_takes(machine: Machine, cluster: Cluster) -> None:
    machine.stage(WORKER)
    machine.clock.at(HOUR, cluster.start)
    assert machine.boot(until=2 * HOUR) == 0
    assert waited(machine, "endpoint") >= HOUR
    # Told twice a minute, not at each look.
    looks = [line for line in machine.lines if "phase=endpoint status=waiting" in line]
    assert HOUR / 60 < len(looks) <= HOUR / 30 + 1


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (403, {}, "http-status"),
        (503, {}, "http-status"),
        (200, [], "not-cluster-info"),
        (200, {"data": {"kubeconfig": ""}}, "token-not-signed"),
        (200, {"data": {"jws-kubeconfig-zzzzzz": "other"}}, "token-not-signed"),
    ],
)
def test_endpoint_that_is_not_ready(machine: Machine, cluster: Cluster, status: int, body: object, reason: str) -> None:
    cluster.status, cluster.body = status, body
    cluster.start()
    machine.stage(WORKER)
    machine.clock.at(20, lambda: vars(cluster).update(status=200, body={"data": SIGNED}))
    assert machine.boot() == 0
    assert machine.story[5:7] == [f"phase=endpoint status=waiting reason={reason}", "phase=endpoint status=ok"]


def test_endpoint_that_begins_to_answer_is_looked_at_often(machine: Machine, cluster: Cluster) -> None:
    cluster.body = {"data": {}}
    machine.stage(WORKER)
    machine.clock.at(600, cluster.start)
    machine.clock.at(606, lambda: vars(cluster).update(body={"data": SIGNED}))
    assert machine.boot() == 0
    assert 606 < waited(machine, "endpoint") < 610


def test_endpoint_behind_which_there_is_nothing_yet(machine: Machine, cluster: Cluster) -> None:
    machine.stage(WORKER)
    cluster.start_empty_balancer()
    machine.clock.at(10, cluster.start_plain)
    machine.clock.at(20, cluster.start)
    assert machine.boot() == 0
    assert machine.story[5:8] == [
        "phase=endpoint status=waiting reason=closed",
        "phase=endpoint status=waiting reason=tls",
        "phase=endpoint status=ok",
    ]
