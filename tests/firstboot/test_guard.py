"""The first node never starts a second cluster."""

from __future__ import annotations

import socket
from typing import NoReturn

import pytest

from tests.firstboot.authority import Authority
from tests.firstboot.documents import INIT
from tests.firstboot.machine import Machine
from tests.firstboot.servers import Cluster

MEMBER = "/var/lib/etcd/member/snap/db"
FOUND = "phase=guard status=ok reason=cluster-found"
OTHER = "phase=guard status=waiting reason=endpoint-other-ca"


def test_joins_the_cluster_that_answers(machine: Machine, cluster: Cluster) -> None:
    cluster.start()
    machine.stage(INIT)
    assert machine.boot() == 0
    assert machine.story[5:] == [
        FOUND,
        "phase=endpoint status=ok",
        "phase=turn status=waiting reason=turn",
        "phase=turn status=ok",
        "phase=etcd-member status=ok",
        "phase=kubeadm-join status=ok",
        "phase=admin status=ok",
        "phase=done status=ok",
    ]
    assert machine.verbs == ["join"]
    assert machine.calls_of("kubeadm join") == [f"kubeadm join --config {machine.paths.work}/kubeadm-join.yaml"]
    assert not [call for call in machine.calls_of("kubectl") if " apply " in call]


def test_knows_its_cluster_by_an_expired_certificate(machine: Machine, cluster: Cluster) -> None:
    cluster.start(expired=True)
    machine.stage(INIT)
    machine.boot(until=60)
    assert FOUND in machine.story
    assert not machine.calls_of("kubeadm init --config")


def test_waits_while_another_cluster_answers(machine: Machine, cluster: Cluster, stranger: Authority) -> None:
    cluster.start(stranger)
    machine.stage(INIT)
    assert machine.boot(until=120) is None
    assert set(machine.story[5:]) == {OTHER}
    status = machine.status
    assert (status["phase"], status["status"], status["reason"]) == ("guard", "waiting", "endpoint-other-ca")
    assert not machine.calls_of("kubeadm")


def test_starts_its_cluster_when_the_other_is_gone(machine: Machine, cluster: Cluster, stranger: Authority) -> None:
    cluster.start(stranger)
    machine.stage(INIT)
    machine.clock.at(100, cluster.stop)
    assert machine.boot() == 0
    assert machine.story[5:][-6:] == [
        OTHER,
        "phase=guard status=ok reason=nothing-answers",
        "phase=kubeadm-init status=ok",
        "phase=cni status=ok",
        "phase=admin status=ok",
        "phase=done status=ok",
    ]


def test_waits_while_something_else_answers(machine: Machine, cluster: Cluster) -> None:
    cluster.start_plain()
    machine.stage(INIT)
    assert machine.boot(until=120) is None
    assert machine.status["reason"] == "tls"
    assert not machine.calls_of("kubeadm")


def test_waits_while_the_name_does_not_resolve(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _unknown)
    machine.stage(INIT, endpoint="kubernetes.invalid:6443")
    assert machine.boot(until=120) is None
    assert machine.status["reason"] == "unresolved"
    assert not machine.calls_of("kubeadm")


def test_a_balancer_with_nothing_behind_it_is_silence(machine: Machine, cluster: Cluster) -> None:
    cluster.start_empty_balancer()
    machine.stage(INIT)
    assert machine.boot() == 0
    assert len(machine.calls_of("kubeadm init --config")) == 1


def test_listens_more_than_once(machine: Machine, cluster: Cluster) -> None:
    machine.stage(INIT)
    machine.clock.at(3, cluster.start)
    assert machine.boot() == 0
    assert FOUND in machine.story
    assert not machine.calls_of("kubeadm init --config")


@pytest.mark.parametrize("answers", [True, False], ids=["its own API server answers", "nobody answers"])
def test_goes_on_with_its_own_etcd(machine: Machine, cluster: Cluster, *, answers: bool) -> None:
    if answers:
        cluster.start()
    machine.stage(INIT)
    machine.write(MEMBER, "the cluster")
    assert machine.boot() == 0
    assert "phase=guard status=ok reason=etcd-data" in machine.story
    assert not machine.calls_of("kubeadm reset")
    (command,) = machine.calls_of("kubeadm init --config")
    ignored = command.partition("--ignore-preflight-errors=")[2].split(",")
    assert {"Port-6443", "Port-2379", "DirAvailable--var-lib-etcd"} <= set(ignored)
    assert "FileAvailable--etc-kubernetes-manifests-kube-apiserver.yaml" in ignored


def test_knows_the_api_server_that_an_init_has_left_for_its_own(machine: Machine, cluster: Cluster) -> None:
    """The power failed before etcd had written anything; the kubelet has started it, and an API server, meanwhile."""
    machine.stage(INIT)

    def start_own() -> None:
        machine.write(MEMBER, "the cluster")
        cluster.start()

    machine.clock.at(3, start_own)
    assert machine.boot() == 0
    assert "phase=guard status=ok reason=etcd-data" in machine.story
    assert machine.verbs == ["init"]


def test_does_not_start_a_cluster_once_it_has_seen_one(machine: Machine, cluster: Cluster) -> None:
    cluster.start()
    machine.stage(INIT)
    machine.plan("kubeadm-join", "exit 1")
    machine.clock.at(5, cluster.stop)
    assert machine.boot(until=1800) is None
    assert machine.status["phase"] == "endpoint"
    assert not machine.calls_of("kubeadm init --config")
    cluster.start()
    assert machine.boot() == 0
    assert len(machine.calls_of("kubeadm join")) == 2


def test_goes_on_with_a_join_that_has_etcd_data(machine: Machine, cluster: Cluster) -> None:
    cluster.start()
    machine.stage(INIT)
    machine.plan("kubeadm-join", 'mkdir -p "$root/var/lib/etcd/member"; exit 1')
    assert machine.boot() == 0
    assert not machine.calls_of("kubeadm init --config")
    assert not machine.calls_of("kubeadm reset")
    assert len(machine.calls_of("kubeadm join")) == 2


def test_looks_again_before_each_try(machine: Machine, cluster: Cluster) -> None:
    machine.stage(INIT)
    machine.plan("kubeadm-init", "exit 1")
    machine.clock.at(6, cluster.start)
    assert machine.boot() == 0
    assert machine.verbs == ["init", "reset", "join"]


def _unknown(*_: object) -> NoReturn:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
