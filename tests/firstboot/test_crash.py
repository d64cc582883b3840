"""The program may be killed, and the power may fail, at any moment."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from bootstrap import files

from tests.firstboot.documents import INIT, JOIN, SHARED, WORKER
from tests.firstboot.machine import Machine
from tests.firstboot.servers import Cluster

CONTROL_PLANE = '{"metadata": {"labels": {"node-role.kubernetes.io/control-plane": ""}}}'


@pytest.mark.usefixtures("running")
def test_killed_in_the_middle(machine: Machine) -> None:
    machine.stage(WORKER, notBefore="2020-01-01T00:00:00Z")
    machine.write("/etc/imagegen/image.json", '{"contract": 1}')
    machine.plan("kubeadm-join", 'echo $$ > "$root/pid"; exec sleep 60')
    with machine.start() as process:
        _wait_for(machine.root / "pid")
        process.kill()
    # The kubeadm that is left holds the lock, so that no second one runs beside it.
    with machine.start() as process:
        while "reason=locked" not in (line := process.stdout.readline() if process.stdout else ""):
            assert line or process.poll() is None
        os.kill(int(machine.read("pid")), signal.SIGKILL)
        assert process.wait(30) == 0
    assert machine.verbs == ["join", "reset", "join"]
    assert machine.status["status"] == "done"


class PowerCutError(BaseException):
    """The machine goes dark between two writes."""


@pytest.mark.parametrize("role", [WORKER, INIT, JOIN, SHARED])
def test_power_may_fail_between_any_two_writes(
    machine: Machine, cluster: Cluster, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    if role not in {INIT, SHARED}:
        cluster.start()
    machine.answer("kubectl", CONTROL_PLANE)
    machine.stage(role, **({"firstNode": ["node-1"]} if role == SHARED else {}))
    write, left = files.write, 0

    def counted(path: Path, content: bytes, mode: int, *, durable: bool = True) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise PowerCutError
        write(path, content, mode, durable=durable)

    monkeypatch.setattr(files, "write", counted)
    for power in range(1, 60):
        left = power
        try:
            assert machine.boot() == 0
            break
        except PowerCutError:
            continue
    assert machine.status["status"] == "done"
    data = False
    for verb in machine.verbs:
        assert not (data and verb == "reset")
        data = data or (role != WORKER and verb != "reset")
    assert not machine.paths.staged_pki.exists()


def test_what_kubeadm_s_power_cut_left_empty_is_made_anew(machine: Machine) -> None:
    machine.stage(INIT)
    machine.write("/var/lib/etcd/member/snap/db", "the cluster")
    torn = ("pki/apiserver.crt", "pki/etcd/server.key", "admin.conf")
    for name in torn:
        machine.write(f"/etc/kubernetes/{name}", "")
    machine.write("/etc/kubernetes/patches/nothing", "")
    machine.write("/var/lib/kubelet/pki/kubelet.key", "")
    machine.write("/etc/kubernetes/pki/etcd/server.crt", "of no use without its key")
    machine.write("/etc/kubernetes/pki/apiserver-etcd-client.crt", "whole")
    machine.plan(
        "kubeadm-init",
        'cd "$root/etc/kubernetes"; find . -type f -size 0 >"$root/empty"; find . -type f >"$root/there"',
    )
    assert machine.boot() == 0
    # Not kubeadm's, and may be meant to be so.
    assert machine.read("empty") == "./patches/nothing\n"
    assert "apiserver-etcd-client.crt" in machine.read("there")
    assert not (machine.root / "var/lib/kubelet/pki/kubelet.key").exists()
    assert "/server." not in machine.read("there")


def test_cloud_init_may_forget_nothing_once_all_is_on_the_disk(machine: Machine) -> None:
    """imagegen-anew.service looks for that file."""
    machine.stage(INIT)
    whole = machine.read("etc/imagegen/node.json")
    machine.write("/etc/imagegen/node.json", "")
    assert machine.boot() != 0
    assert not machine.paths.received.exists()
    machine.write("/etc/imagegen/node.json", whole)
    assert machine.boot() == 0
    assert machine.paths.received.exists()


def _wait_for(path: Path) -> None:
    end = time.monotonic() + 20
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < end, f"{path} does not come"
        time.sleep(0.02)
