"""Faults of docs/faults.md that come and go: each is told as long as it lasts, and then the node is made."""

from __future__ import annotations

import errno
import os
import socket
from typing import Any

import pytest
from bootstrap import probe

from tests.firstboot.documents import WORKER
from tests.firstboot.machine import Machine
from tests.firstboot.servers import Cluster

HOUR = 3600
UNPINNED = (
    "error: error execution phase preflight: couldn't validate the identity of the API Server: cluster CA found in "
    'cluster-info ConfigMap is invalid: none of the public keys "sha256:1f2e" are pinned'
)
TAKEN = (
    'error: error execution phase kubelet-start: a Node with name "node-1" and status "Ready" already exists in the '
    "cluster. You must delete the existing Node or change the name of this new joining Node"
)


def test_an_endpoint_that_accepts_and_hangs(
    machine: Machine, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "TIMEOUT", 0.1)
    hanging = socket.create_server(("127.0.0.1", cluster.port))
    machine.stage(WORKER)

    def mend() -> None:
        hanging.close()
        cluster.start()
        monkeypatch.setattr(probe, "TIMEOUT", 5.0)

    machine.clock.at(60, mend)
    assert machine.boot() == 0
    assert machine.story[5] == "phase=endpoint status=waiting reason=timeout"
    assert "phase=endpoint status=ok" in machine.story


def test_another_ca_is_refused_however_often_it_is_tried(machine: Machine, cluster: Cluster) -> None:
    cluster.start()
    machine.stage(WORKER)
    refuse = 'grep -q caCertHashes "$3" || exit 0; cat "$root/refusal"; exit 1'
    machine.write("/refusal", f"{UNPINNED}\n")
    machine.plan("kubeadm-join", *[refuse] * 40)
    assert machine.boot(until=HOUR) is None
    assert set(machine.verbs) == {"join", "reset"}
    assert machine.verbs.count("join") > HOUR / 130
    said = {line for line in machine.story if "phase=kubeadm-join" in line}
    assert said == {"phase=kubeadm-join status=retry reason=preflight-failed"}
    assert not machine.paths.kubelet_conf.exists()
    machine.plan("kubeadm-join")
    assert machine.boot() == 0


def test_a_network_that_goes_and_comes_back(
    machine: Machine, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.start()
    machine.stage(WORKER)
    connect, gone = socket.create_connection, True

    def cut(*arguments: Any, **named: Any) -> socket.socket:
        if gone:
            raise OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))
        return connect(*arguments, **named)

    def restore() -> None:
        nonlocal gone
        gone = False

    monkeypatch.setattr(socket, "create_connection", cut)
    machine.clock.at(300, restore)
    assert machine.boot() == 0
    assert machine.story[5] == "phase=endpoint status=waiting reason=unreachable"
    assert machine.verbs == ["join"]


def test_a_name_that_is_taken_is_refused_until_the_machine_has_another(machine: Machine, cluster: Cluster) -> None:
    cluster.start()
    machine.stage(WORKER, nodeName={"from": "metadata"})
    machine.write("/refusal", f"{TAKEN}\n")
    machine.clock.at(65, lambda: machine.write("/proc/sys/kernel/hostname", "node-2\n"))
    machine.plan("kubeadm-join", *['grep -q "name: node-2" "$3" || { cat "$root/refusal"; exit 1; }'] * 9)
    assert machine.boot() == 0
    assert machine.story.count("phase=kubeadm-join status=retry reason=kubeadm-failed") == 3
    assert machine.verbs == ["join", *["reset", "join"] * 3]
