"""Control planes that keep the endpoint among themselves: haproxy and keepalived run before anything asks there."""

from __future__ import annotations

import json

import pytest
from bootstrap import probe

from tests.firstboot.documents import INIT, JOIN, WORKER
from tests.firstboot.machine import ADDRESSES, Machine

WRITTEN = "/etc/keepalived/machine.conf"
UNITS = "haproxy.service keepalived.service"
VIRTUAL = "192.168.0.5"
PLANES = ["192.168.0.10", "192.168.0.11", "192.168.0.12"]
KEPT = {"keepalived": {"controlPlanes": PLANES}}


def told(machine: Machine) -> list[str]:
    """What systemd was told of the two."""
    return [call.removesuffix(f" {UNITS}") for call in machine.calls if call.endswith(UNITS)]


def test_both_run_before_the_guard_asks(machine: Machine) -> None:
    machine.stage(INIT, **KEPT)
    assert machine.boot() == 0
    story = machine.story
    assert story.index("phase=keepalived status=ok") < story.index("phase=guard status=ok reason=nothing-answers")
    assert told(machine) == ["systemctl unmask", "systemctl enable", "systemctl restart"]


def test_keepalived_is_told_where_the_machine_is_and_where_the_others_are(machine: Machine) -> None:
    machine.stage(INIT, **KEPT)
    assert machine.boot() == 0
    assert machine.read(WRITTEN) == (
        "interface eth0\nunicast_src_ip 192.168.0.11\nunicast_peer {\n    192.168.0.10\n    192.168.0.12\n}\n"
    )
    assert machine.paths.at(WRITTEN).stat().st_mode & 0o777 == 0o644


def test_a_single_control_plane_has_nobody_to_tell(machine: Machine) -> None:
    machine.stage(INIT, keepalived={"controlPlanes": ["192.168.0.11"]})
    assert machine.boot() == 0
    # An empty list would be one that keepalived complains of.
    assert machine.read(WRITTEN) == "interface eth0\nunicast_src_ip 192.168.0.11\n"


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("role", [JOIN, WORKER])
def test_nobody_does_who_is_not_told(machine: Machine, role: str) -> None:
    machine.stage(role)
    assert machine.boot() == 0
    assert not told(machine)
    assert not machine.has(WRITTEN)


@pytest.mark.usefixtures("running")
def test_a_further_try_leaves_what_runs_alone(machine: Machine) -> None:
    machine.stage(JOIN, **KEPT)
    machine.plan("kubeadm-join", "exit 1")
    assert machine.boot() == 0
    assert machine.verbs == ["join", "reset", "join"]
    assert [verb for verb in told(machine) if "start" in verb] == ["systemctl restart", "systemctl start"]


@pytest.mark.usefixtures("running")
def test_another_interface_is_told_to_keepalived(machine: Machine) -> None:
    machine.stage(JOIN, **KEPT)
    machine.write(WRITTEN, "interface eth9\nunicast_src_ip 192.168.0.11\n")
    assert machine.boot() == 0
    assert machine.read(WRITTEN).startswith("interface eth0\n")
    assert "systemctl restart" in told(machine)


@pytest.mark.usefixtures("running")
def test_the_virtual_address_is_never_the_node_s(machine: Machine) -> None:
    held = {"ifname": "eth0", "addr_info": [{"local": VIRTUAL, "scope": "global"}]}
    machine.answer("ip", json.dumps([*ADDRESSES[:1], held, ADDRESSES[1]]))
    machine.stage(JOIN, endpoint=f"{VIRTUAL}:8443", **KEPT)
    machine.boot(until=30)
    assert "address 192.168.0.11" in "\n".join(machine.lines)
    assert "unicast_src_ip 192.168.0.11\n" in machine.read(WRITTEN)


def test_a_refusal_at_the_virtual_address_is_not_the_last_word(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = {"ifname": "eth0", "addr_info": [{"local": VIRTUAL, "scope": "global"}]}
    machine.answer("ip", json.dumps([*ADDRESSES, held]))
    machine.stage(INIT, endpoint=f"{VIRTUAL}:8443", **KEPT)
    answers = iter(["refused", ""])
    monkeypatch.setattr(probe, "shake_hands", lambda *_: next(answers))
    machine.boot(until=30)
    assert "phase=guard status=ok reason=cluster-found" in machine.story


def test_a_machine_at_another_address_waits(machine: Machine) -> None:
    machine.stage(INIT, keepalived={"controlPlanes": PLANES[:1]})
    machine.boot(until=60)
    assert "phase=keepalived status=retry reason=keepalived-failed" in machine.story
    assert not told(machine)


def test_units_that_there_are_not_are_told(machine: Machine) -> None:
    machine.stage(INIT, **KEPT)
    said = "Unit file haproxy.service does not exist."
    machine.script("systemctl", f'[ "$1" != enable ] || {{ echo "{said}" >&2; exit 1; }}\n')
    machine.boot(until=60)
    assert "phase=keepalived status=retry reason=keepalived-failed" in machine.story
    assert f"systemctl enable: {said}" in "\n".join(machine.lines)
