"""What happens after a try that failed."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
from bootstrap import files, kubeadm

from tests.firstboot.documents import JOIN, WORKER
from tests.firstboot.machine import Machine
from tests.firstboot.servers import Cluster

FINAL = 78
WORDS = 'error: nodeRegistration.name: Invalid value: "bad_"'
pytestmark = pytest.mark.usefixtures("running")


def test_a_worker_resets_before_the_next_try(machine: Machine) -> None:
    machine.stage(WORKER)
    leave = 'mkdir -p "$etc/pki" "$root/etc/kubernetes/pki"; touch "$root/etc/kubernetes/pki/ca.crt"'
    machine.plan("kubeadm-join", f"{leave}; echo 'error: no'; exit 1", "exit 1")
    assert machine.boot() == 0
    assert machine.verbs == ["join", "reset", "join", "reset", "join"]
    (reset, _) = machine.calls_of("kubeadm reset")
    assert reset == "kubeadm reset --force --cri-socket unix:///run/containerd/containerd.sock"
    assert machine.status["tries"] == 3
    assert json.loads(machine.read("/var/lib/imagegen/state.json"))["tries"] == {"kubeadm-join": 3}
    assert not list((machine.paths.kubernetes / "pki").glob("*.key"))


def test_delays_grow(machine: Machine) -> None:
    machine.stage(WORKER)
    machine.plan("kubeadm-join", *["echo 'error: no'; exit 1"] * 6)
    assert machine.boot() == 0
    retries = [line for line in machine.lines if "status=retry" in line]
    assert [line.rpartition("again in ")[2] for line in retries] == [
        f'{delay} s"' for delay in (10, 20, 40, 80, 120, 120)
    ]
    assert "try 2: error: no" in retries[1]


def test_a_control_plane_gets_its_keys_back(machine: Machine, cluster: Cluster) -> None:
    machine.stage(JOIN)
    machine.plan("kubeadm-join", "exit 1", 'cp "$root/etc/kubernetes/pki/ca.key" "$root/seen"')
    assert machine.boot() == 0
    assert machine.verbs == ["join", "reset", "join"]
    assert machine.read("seen") == cluster.authority.key


def test_exit_code_of_a_refused_configuration_is_final(machine: Machine) -> None:
    machine.stage(WORKER)
    machine.plan("kubeadm-join", f"echo '{WORDS}'; exit 3")
    assert machine.boot() == FINAL
    status = machine.status
    assert (status["status"], status["reason"]) == ("failed", "kubeadm-invalid")
    assert WORDS in status["message"]
    assert machine.verbs == ["join"]


def test_a_refusal_in_the_words_of_kubeadms_own_check_is_final(machine: Machine) -> None:
    machine.stage(WORKER)
    machine.plan("kubeadm-join", f"echo '{WORDS}'; echo 'To see the stack trace'; exit 1")
    machine.plan("kubeadm-config", f"echo '{WORDS}' >&2; echo 'To see the stack trace' >&2; exit 1")
    assert machine.boot() == FINAL
    assert machine.calls[-1] == f"kubeadm config validate --config {machine.paths.work}/kubeadm.yaml"


def test_a_refusal_of_the_check_alone_is_not_final(machine: Machine) -> None:
    machine.stage(WORKER)
    machine.plan("kubeadm-join", "echo 'error: timed out'; exit 1")
    machine.plan("kubeadm-config", "echo 'error: unknown field' >&2; exit 1")
    assert machine.boot() == 0


@pytest.mark.parametrize(
    ("step", "reason", "words"),
    [
        ("echo '	[ERROR NumCPU]: too few'; echo 'error: error execution phase preflight: checks failed'; exit 1",
         "preflight-failed", "[ERROR NumCPU]: too few"),
        ("echo 'error: no'; exit 2", "preflight-failed", "error: no"),
        ("echo one; echo; exit 1", "kubeadm-failed", "one"),
    ],
)  # fmt: skip
def test_a_failed_try_says_why(machine: Machine, step: str, reason: str, words: str) -> None:
    machine.stage(WORKER)
    machine.plan("kubeadm-join", step)
    assert machine.boot() == 0
    (line,) = [line for line in machine.lines if "status=retry" in line]
    assert f" reason={reason} " in line
    assert json.dumps(words)[1:-1] in line


def test_an_endless_try_is_ended(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubeadm, "COMMAND_LIMIT", 0.2)
    machine.stage(WORKER)
    machine.plan("kubeadm-join", "exec sleep 60")
    assert machine.boot() == 0
    assert "phase=kubeadm-join status=retry reason=kubeadm-timeout" in machine.story


def test_a_failed_reset_is_no_licence_to_join(machine: Machine) -> None:
    machine.stage(WORKER)
    machine.plan("kubeadm-join", "exit 1")
    machine.plan("kubeadm-reset", "exit 1")
    assert machine.boot() == 0
    assert "phase=kubeadm-join status=retry reason=reset-failed" in machine.story
    assert machine.verbs == ["join", "reset", "reset", "join"]


def test_a_missing_program_is_met_by_another_try(machine: Machine) -> None:
    machine.stage(WORKER)
    kubeadm = machine.bin / "kubeadm"
    hidden = kubeadm.rename(machine.bin / "hidden")
    machine.clock.at(5, lambda: hidden.rename(kubeadm))
    assert machine.boot() == 0
    assert "phase=kubeadm-join status=retry reason=kubeadm-failed" in machine.story


def test_a_bug_is_met_by_another_try(machine: Machine) -> None:
    machine.stage(WORKER)
    machine.answer("ip", "no JSON")
    machine.clock.at(5, lambda: machine.answer("ip", '[{"ifname": "eth0", "addr_info": []}]'))
    machine.boot(until=100)
    assert "phase=settle status=retry reason=internal-error" in machine.story
    assert machine.status["reason"] == "address-not-found"


@pytest.mark.parametrize("verdict", ["exit 0", 'echo "error: write /tmp/x: no space left on device"; exit 1'])
def test_a_full_disk_is_no_refusal_of_the_configuration(machine: Machine, verdict: str) -> None:
    machine.stage(WORKER)
    machine.plan("kubeadm-join", 'echo "error: write /tmp/x: no space left on device"; exit 1')
    machine.plan("kubeadm-config", verdict)
    assert machine.boot() == 0
    assert "phase=kubeadm-join status=retry reason=disk-full" in machine.story


def test_on_a_full_disk_the_console_still_tells_and_the_wait_goes_on(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.stage(WORKER)
    write, full = files.write, True

    def cramped(path: Path, *arguments: Any, **named: Any) -> None:
        if full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(path, *arguments, **named)

    def make_room() -> None:
        nonlocal full
        full = False

    monkeypatch.setattr(files, "write", cramped)
    machine.clock.at(100, make_room)
    assert machine.boot() == 0
    assert "phase=settle status=retry reason=disk-full" in machine.story
    assert machine.status["status"] == "done"


FULL = "etcdserver: too many learner members in cluster"
BEHIND = "etcdserver: can only promote a learner member which is in sync with leader"
SICK = "etcd cluster is not healthy: the status of member https://192.168.0.13:2379 is not available"


@pytest.mark.parametrize(
    ("phase", "words", "reason"),
    [
        ("etcd-join", f"error creating local etcd static pod manifest file: {FULL}", "etcd-learner"),
        ("control-plane-join/etcd", f"error creating local etcd static pod manifest file: {BEHIND}", "etcd-learner"),
        ("check-etcd", SICK, "etcd-unhealthy"),
    ],
)
def test_an_etcd_that_takes_no_member_now_is_asked_again_soon(
    machine: Machine, phase: str, words: str, reason: str
) -> None:
    machine.stage(JOIN)
    machine.plan("kubeadm-join", *[f"echo 'error: error execution phase {phase}: {words}'; exit 1"] * 7)
    assert machine.boot() == 0
    retries = [line for line in machine.lines if "status=retry" in line]
    assert all(f" reason={reason} " in line and words in line for line in retries)
    assert [line.rpartition("again in ")[2] for line in retries] == [
        f'{delay} s"' for delay in (5, 8, 11, 17, 25, 30, 30)
    ]
    assert machine.verbs == ["join", *["reset", "join"] * 7]


def test_a_learner_that_is_behind_keeps_its_data(machine: Machine) -> None:
    machine.stage(JOIN)
    step = f'mkdir -p "$root/var/lib/etcd/member"; echo "error: error execution phase etcd-join: {BEHIND}"; exit 1'
    machine.plan("kubeadm-join", step, step)
    assert machine.boot() == 0
    assert machine.verbs == ["join", "join", "join"]
    assert machine.story.count("phase=kubeadm-join status=retry reason=etcd-learner") == 2


def test_other_failures_keep_their_own_pace(machine: Machine) -> None:
    machine.stage(JOIN)
    full = f"echo 'error: {FULL}'; exit 1"
    machine.plan("kubeadm-join", "exit 1", full, "exit 1", full)
    assert machine.boot() == 0
    delays = [line.rpartition("again in ")[2] for line in machine.lines if "status=retry" in line]
    assert delays == ['10 s"', '5 s"', '20 s"', '8 s"']
