"""The admin user of a control plane can work with the cluster."""

from __future__ import annotations

import pytest

from tests.firstboot.documents import INIT, JOIN, WORKER
from tests.firstboot.machine import Machine
from tests.firstboot.servers import Cluster

CONFIG, COMPLETION = "/home/ops/.kube/config", "/home/ops/.local/share/bash-completion/completions/kubectl"
SERVED, MISSING = "phase=admin status=ok", "phase=admin status=ok reason=kubeconfig-missing"


@pytest.mark.parametrize("role", [INIT, JOIN])
def test_has_a_kubeconfig_and_a_completion(machine: Machine, cluster: Cluster, role: str) -> None:
    if role == JOIN:
        cluster.start()
    machine.stage(role, admin="ops")
    machine.write("/etc/kubernetes/admin.conf", "client-key-data: a key\n")
    assert machine.boot() == 0
    assert SERVED in machine.story
    assert machine.read(CONFIG) == "client-key-data: a key\n"
    assert machine.read(COMPLETION) == "complete kubectl\n"
    assert [machine.paths.at(path).stat().st_mode & 0o777 for path in (CONFIG, COMPLETION)] == [0o600, 0o600]
    assert not machine.has(f"{CONFIG}.new")


def test_what_the_user_has_stays(machine: Machine) -> None:
    machine.stage(INIT, admin="ops")
    machine.write(CONFIG, "another cluster's")
    assert machine.boot() == 0
    assert machine.read(CONFIG) == "another cluster's"
    assert SERVED in machine.story


def test_it_is_the_user_who_writes(machine: Machine) -> None:
    machine.stage(INIT, admin="ops")
    assert machine.boot() == 0
    (call, *_) = machine.calls_of("runuser")
    assert call.startswith("runuser --login ops --command")


@pytest.mark.parametrize("trouble", ["echo 'user ops does not exist' >&2; exit 1", "cat > /dev/null; exit 1"])
def test_holds_no_node_up(machine: Machine, trouble: str) -> None:
    machine.stage(INIT, admin="ops")
    machine.script("runuser", trouble)
    assert machine.boot() == 0
    assert MISSING in machine.story
    assert machine.status["status"] == "done"


@pytest.mark.usefixtures("running")
def test_no_kubeconfig_to_give(machine: Machine) -> None:
    machine.stage(JOIN, admin="ops")
    assert machine.boot() == 0
    assert MISSING in machine.story
    assert not machine.calls_of("runuser")


def test_nobody_is_asked_without_an_admin(machine: Machine) -> None:
    machine.stage(INIT)
    assert machine.boot() == 0
    assert SERVED in machine.story
    assert not machine.calls_of("runuser")


@pytest.mark.usefixtures("running")
def test_a_worker_has_nothing_to_give(machine: Machine) -> None:
    machine.stage(WORKER, admin="ops")
    assert machine.boot() == 0
    assert not machine.has(CONFIG)
    assert not [line for line in machine.story if "phase=admin" in line]


def test_a_reboot_before_it_serves_after_it(machine: Machine) -> None:
    machine.stage(INIT, admin="ops")
    machine.script("kubectl", "exit 1")
    with pytest.raises(AssertionError):
        machine.boot()
    assert not machine.has(CONFIG)
    machine.answer("kubectl", "")
    assert machine.boot() == 0
    assert machine.has(CONFIG)
    assert machine.verbs == ["init"]
