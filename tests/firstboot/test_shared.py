"""One user-data for all control planes: each finds out for itself which of them it is."""

from __future__ import annotations

import json

import pytest
from bootstrap.state import State

from tests.firstboot.documents import INIT, JOIN, OF_THE_FIRST, SHARED
from tests.firstboot.machine import Machine
from tests.firstboot.servers import Cluster

BY_NAME, BY_ADDRESS = ["node-1", "192.168.0.99"], ["elsewhere", "192.168.0.11"]
OTHERS = ["node-9", "192.168.0.99"]


@pytest.mark.parametrize("first", [BY_NAME, BY_ADDRESS, ["NODE-1"]], ids=["by name", "by address", "in capitals"])
def test_the_first_starts_the_cluster(machine: Machine, first: list[str]) -> None:
    machine.stage(SHARED, firstNode=first)
    assert machine.boot() == 0
    assert machine.story == OF_THE_FIRST
    assert machine.status["role"] == INIT
    assert json.loads(machine.paths.done.read_text())["role"] == INIT
    assert "the first control plane" in machine.lines[4]


def test_an_ipv6_address_is_known_however_it_is_written(machine: Machine) -> None:
    links = [{"ifname": "eth0", "addr_info": [{"local": "fd00::b", "scope": "global"}]}]
    machine.answer("ip", json.dumps(links))
    machine.stage(SHARED, firstNode=["FD00:0::000b"], nodeCIDRs=["fd00::/64"])
    assert machine.boot() == 0
    assert machine.status["role"] == INIT


def test_all_others_join_it(machine: Machine, cluster: Cluster) -> None:
    machine.stage(SHARED, firstNode=OTHERS)
    machine.clock.at(60, cluster.start)
    assert machine.boot() == 0
    assert "phase=endpoint status=waiting reason=refused" in machine.story
    assert not [line for line in machine.story if "guard" in line or "cni" in line]
    assert machine.verbs == ["join"]
    assert machine.calls_of("kubeadm join") == [f"kubeadm join --config {machine.paths.work}/kubeadm-join.yaml"]
    assert machine.status["role"] == JOIN
    assert "joins the first control plane, 192.168.0.99 or node-9" in machine.lines[4]
    assert not (machine.paths.home / "kubeadm-join.yaml").exists()


@pytest.mark.usefixtures("running")
def test_the_first_joins_where_the_cluster_is_already(machine: Machine) -> None:
    machine.stage(SHARED, firstNode=BY_NAME)
    assert machine.boot() == 0
    assert "phase=guard status=ok reason=cluster-found" in machine.story
    assert machine.verbs == ["join"]


def test_hooks_know_what_has_become_of_it(machine: Machine) -> None:
    machine.stage(SHARED, firstNode=BY_NAME)
    hook = machine.write(
        "/etc/imagegen/hooks/pre-kubeadm/10-role", f'#!/bin/sh\necho "$IMAGEGEN_ROLE" > {machine.root}/seen\n'
    )
    hook.chmod(0o700)
    assert machine.boot() == 0
    assert machine.read("seen") == f"{INIT}\n"


def test_who_has_begun_as_the_first_goes_on_as_the_first(machine: Machine) -> None:
    machine.stage(SHARED, firstNode=BY_NAME)
    machine.plan(
        "kubeadm-init", 'mkdir -p "$root/var/lib/etcd/member"; echo other > "$root/proc/sys/kernel/hostname"; exit 1'
    )
    assert machine.boot() == 0
    assert machine.read("/proc/sys/kernel/hostname") == "other\n"
    assert machine.verbs == ["init", "init"]
    assert "phase=cni status=ok" in machine.story


@pytest.mark.usefixtures("running")
def test_who_has_begun_to_join_does_not_become_the_first(machine: Machine) -> None:
    machine.write("/proc/sys/kernel/hostname", "other\n")
    machine.stage(SHARED, firstNode=BY_NAME)
    machine.plan(
        "kubeadm-join", 'mkdir -p "$root/var/lib/etcd/member"; echo node-1 > "$root/proc/sys/kernel/hostname"; exit 1'
    )
    assert machine.boot() == 0
    assert machine.verbs == ["join", "join"]
    assert machine.status["role"] == JOIN


def test_a_name_that_comes_late_still_counts(machine: Machine) -> None:
    machine.write("/proc/sys/kernel/hostname", "other\n")
    machine.stage(SHARED, firstNode=BY_NAME)
    assert machine.boot(until=60) is None
    assert machine.status["role"] == JOIN
    machine.write("/proc/sys/kernel/hostname", "node-1\n")
    assert machine.boot() == 0
    assert machine.verbs == ["init"]


def test_the_role_outlasts_a_reboot(machine: Machine) -> None:
    machine.stage(SHARED, firstNode=BY_NAME)
    # Joined, and then no way on: the settled name is not looked at again after that.
    machine.script("kubectl", "exit 1")
    with pytest.raises(AssertionError):
        machine.boot()
    machine.answer("kubectl", "")
    assert machine.boot() == 0
    assert machine.verbs == ["init"]
    assert "phase=cni status=ok" in machine.story
    assert State.load(machine.paths.state).role == INIT


def test_nobody_is_the_first_without_a_word_of_who_is(machine: Machine) -> None:
    machine.stage(SHARED)
    assert machine.boot() == 78
    assert machine.status["reason"] == "node-file-invalid"
    assert "nothing says which control plane is the first" in machine.status["message"]
