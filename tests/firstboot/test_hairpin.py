"""A control plane behind a load balancer that loses what it sends to itself answers the endpoint on its own."""

from __future__ import annotations

import json

import pytest
from bootstrap import hairpin, probe

from tests.firstboot.documents import INIT, JOIN, WORKER
from tests.firstboot.machine import ADDRESSES, Machine

START, STOP = "systemctl start imagegen-hairpin.service", "systemctl stop imagegen-hairpin.service"
SETTINGS = "/var/lib/imagegen/hairpin"
LOCAL = {"hairpin": "local"}
NAME = "api.example.com"


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether this machine's own API server is ready: the last item says it."""
    answers = [False]
    monkeypatch.setattr(probe, "is_ready", lambda *_: answers[-1])
    return answers


def order(machine: Machine, *starts: str) -> list[str]:
    """Those of the calls, in the order in which they came."""
    return [call for call in machine.calls if call.startswith(starts)]


@pytest.mark.usefixtures("ready")
def test_the_first_one_answers_before_it_starts_the_cluster(machine: Machine) -> None:
    machine.stage(INIT, **LOCAL)
    assert machine.boot() == 0
    first, second, *_ = order(machine, START, "kubeadm init --config")
    assert first == START
    assert second.startswith("kubeadm init")
    assert machine.read(SETTINGS) == "ENDPOINT=127.0.0.1/32\n"
    assert "phase=hairpin status=ok" in machine.story


@pytest.mark.usefixtures("running")
def test_nobody_does_who_is_not_told(machine: Machine) -> None:
    for role in (INIT, JOIN, WORKER):
        machine.stage(role)
        machine.boot()
    assert not order(machine, START, STOP)
    assert not machine.has(SETTINGS)


@pytest.mark.usefixtures("running", "ready")
def test_one_that_joins_asks_the_balancer_first(machine: Machine) -> None:
    machine.stage(JOIN, **LOCAL)
    assert machine.boot() == 0
    first, second = order(machine, START, "kubeadm join")
    assert first.startswith("kubeadm join")
    assert second == START


@pytest.mark.usefixtures("running", "ready")
def test_one_that_joins_answers_while_kubeadm_still_runs(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hairpin, "POLL", 0.01)
    machine.stage(JOIN, **LOCAL)
    machine.plan(
        "kubeadm-join",
        f"for i in $(seq 500); do grep -q '^{START}' {machine._calls} && break; sleep 0.02; done; "  # noqa: SLF001
        f"grep -q '^{START}' {machine._calls} || exit 1",  # noqa: SLF001
    )
    # The phase `balancer` has looked by then.
    monkeypatch.setattr(probe, "is_ready", lambda *_: bool(order(machine, "kubeadm join")))
    assert machine.boot() == 0
    assert machine.verbs == ["join"]


@pytest.mark.usefixtures("running", "ready")
def test_a_failed_try_gives_the_endpoint_back(machine: Machine) -> None:
    machine.stage(JOIN, **LOCAL)
    machine.write(SETTINGS, "ENDPOINT=127.0.0.1/32\n")
    assert machine.boot() == 0
    stop, join, start = order(machine, START, STOP, "kubeadm join")
    assert (stop, start) == (STOP, START)
    assert join.startswith("kubeadm join")


@pytest.mark.usefixtures("running")
def test_one_whose_api_server_is_ready_keeps_it(machine: Machine, ready: list[bool]) -> None:
    machine.stage(JOIN, **LOCAL)
    machine.write(SETTINGS, "ENDPOINT=127.0.0.1/32\n")
    ready.append(True)
    assert machine.boot() == 0
    assert not order(machine, STOP)
    assert "this machine's own API server is ready" in "\n".join(machine.lines)


@pytest.mark.usefixtures("ready")
def test_a_machine_that_was_cut_off_behind_kubeadm_still_does(machine: Machine) -> None:
    machine.stage(INIT, **LOCAL)
    machine.write("/var/lib/imagegen/state.json", json.dumps({"mode": "init", "joined": True}))
    assert machine.boot() == 0
    assert order(machine, START, STOP) == [START]


@pytest.mark.usefixtures("ready")
def test_a_name_is_a_line_in_hosts(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "shake_hands", lambda *_: "refused")
    machine.stage(INIT, endpoint=f"{NAME}:6443", **LOCAL)
    machine.plan("kubeadm-init", f"grep -q '^127.0.0.1 {NAME} ' \"$root/etc/hosts\"; exit 1")
    assert machine.boot() == 0
    # Once, though the first try failed: it is taken back in between.
    assert machine.read("/etc/hosts") == f"127.0.0.1 localhost\n127.0.0.1 {NAME} {hairpin.MARK}\n"
    assert not order(machine, START, STOP)


@pytest.mark.usefixtures("running", "ready")
def test_the_address_on_loopback_is_never_the_node_s(machine: Machine) -> None:
    # The kernel gives addresses of IPv6 there the scope `global`, whatever they were given.
    held = {"ifname": "lo", "addr_info": [{"local": "192.168.0.5", "scope": "global"}]}
    machine.answer("ip", json.dumps([held, *ADDRESSES[1:]]))
    machine.stage(JOIN, endpoint="192.168.0.5:6443", **LOCAL)
    machine.boot(until=30)
    assert "address 192.168.0.11" in "\n".join(machine.lines)
    machine.answer("ip", json.dumps([held]))
    machine.boot(until=30)
    assert "phase=settle status=waiting reason=address-not-found" in machine.story
