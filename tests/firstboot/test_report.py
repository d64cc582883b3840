"""Lines that a program can read, whatever they are about."""

from __future__ import annotations

import json
import re

import pytest
from bootstrap.report import format_line

from tests.firstboot.documents import WORKER
from tests.firstboot.machine import Machine
from tests.firstboot.servers import Cluster

# The grammar of docs/first-boot.md.
LINE = re.compile(
    r"imagegen: phase=(?P<phase>[a-z-]+)(?: step=(?P<step>[a-z0-9-]+))?"
    r" status=(?P<status>ok|waiting|retry|failed) seconds=(?P<seconds>\d+\.\d)"
    r"(?: reason=(?P<reason>[a-z0-9-]+))?(?: message=(?P<message>\"(?:[^\"\\]|\\.)*\"))?"
)


@pytest.mark.parametrize(
    "message",
    ["plain", 'a "quoted" word', "back\\slash", "two\nlines\r\n\tand a tab", "\x1b[31mred\x07", "München", "status=ok"],
)
def test_any_message_is_one_readable_line(message: str) -> None:
    line = format_line("settle", "waiting", 3.14159, "address-not-found", message)
    match = LINE.fullmatch(line)
    assert match
    assert json.loads(match["message"]) == message
    assert line.isascii()
    assert line.isprintable()


def test_a_line_without_more_to_say() -> None:
    assert format_line("kubeadm-init", "ok", 9.1) == "imagegen: phase=kubeadm-init status=ok seconds=9.1"


def test_a_step_stands_behind_its_phase() -> None:
    line = format_line("install", "retry", 1, "install-failed", "no", step="30-install-packages")
    match = LINE.fullmatch(line)
    assert match
    assert (match["phase"], match["step"], match["reason"]) == ("install", "30-install-packages", "install-failed")


@pytest.mark.usefixtures("running")
def test_every_line_of_a_boot_can_be_read(machine: Machine) -> None:
    machine.stage(WORKER)
    machine.plan("kubeadm-join", """printf 'error: "x"\\nand\\001more\\n'; exit 1""")
    assert machine.boot() == 0
    assert all(LINE.fullmatch(line) for line in machine.lines)
    assert "retry" in {match["status"] for line in machine.lines if (match := LINE.fullmatch(line))}


def test_status_tells_what_is_waited_for(machine: Machine, running: Cluster) -> None:
    running.status = 503
    machine.stage(WORKER)
    machine.boot(until=100)
    status = machine.status
    assert set(status) == {
        *("contract", "role", "phase", "status", "reason", "message", "nextStep", "since", "tries", "phases"),
    }
    assert (status["phase"], status["status"], status["reason"]) == ("endpoint", "waiting", "http-status")
    assert "HTTP 503" in status["message"]
    assert status["since"] == "2026-11-22T08:00:00Z"
    assert status["phases"][-1]["name"] == "endpoint"
    assert status["phases"][-1]["seconds"] > 60


def test_status_keeps_the_phases_of_an_earlier_run(machine: Machine, cluster: Cluster) -> None:
    cluster.start()
    machine.stage(WORKER)
    machine.plan("kubeadm-join", "exit 3")
    assert machine.boot() == 78
    machine.paths.state.write_text('{"joined": true, "tries": {"kubeadm-join": 1}}')
    assert machine.boot() == 0
    assert {"runtime", "endpoint", "done"} <= {phase["name"] for phase in machine.status["phases"]}


def test_a_console_that_hangs_up_gets_the_later_lines(machine: Machine, cluster: Cluster) -> None:
    cluster.status = 503
    cluster.start()
    machine.stage(WORKER)
    machine.clock.at(5, lambda: machine.paths.console.rename(machine.root / "hung-up"))
    machine.clock.at(5, machine.paths.console.touch)
    machine.clock.at(10, lambda: vars(cluster).update(status=200))
    assert machine.boot() == 0
    assert machine.story[-1] == "phase=done status=ok"


@pytest.mark.usefixtures("running")
def test_a_machine_without_a_console_boots(machine: Machine) -> None:
    machine.stage(WORKER)
    machine.paths.console.unlink()
    assert machine.boot() == 0


@pytest.mark.usefixtures("running")
def test_a_console_that_takes_nothing_does_not_stop_the_node(machine: Machine) -> None:
    machine.stage(WORKER)
    machine.paths.console.unlink()
    machine.paths.console.symlink_to("/dev/full")
    assert machine.boot() == 0
