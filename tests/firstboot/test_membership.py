"""A control plane on a fresh disk takes the place of its predecessor in etcd, if that is certainly dead."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from bootstrap.etcdclient import EtcdClient, Member

from tests.firstboot.authority import Authority
from tests.firstboot.documents import INIT, JOIN, WORKER
from tests.firstboot.machine import Machine
from tests.firstboot.members import LOST, Etcd, member

pytestmark = pytest.mark.usefixtures("running")

HERE, ELSEWHERE = "https://192.168.0.11:2380", "https://192.168.0.12:2380"
DEAD, OTHER, LEARNER = 8160124572062736707, 517730573628343671, 5380358761394800075
NODE = {"metadata": {"labels": {}}, "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}
OK, REMOVED = "phase=etcd-member status=ok", "phase=etcd-member status=ok reason=etcd-member-removed"


@pytest.fixture
def etcd(machine: Machine, authority: Authority, tmp_path: Path) -> Iterator[Etcd]:
    """Another control plane's etcd; the API has its pod, and that of the machine that was here before."""
    etcd = Etcd(authority, tmp_path)
    etcd.members = [member(OTHER, "node-2", ELSEWHERE, etcd.url)]
    publish(machine, "https://192.168.0.11:2379", etcd.url)
    machine.answer("kubectl", json.dumps(NODE))
    yield etcd
    etcd.stop()


def publish(machine: Machine, *urls: str) -> None:
    key = "kubeadm.kubernetes.io/etcd.advertise-client-urls"
    items = [{"metadata": {"name": f"etcd-{n}", "annotations": {key: url}}} for n, url in enumerate(urls)]
    machine.write("/answers/pods", json.dumps({"items": [*items, {"metadata": {"name": "etcd-without"}}]}))


@pytest.fixture
def nowhere() -> str:
    """An address at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return f"https://127.0.0.1:{port}"


@pytest.mark.parametrize("role", [JOIN, INIT])
def test_the_predecessor_at_this_address_is_removed(machine: Machine, etcd: Etcd, role: str) -> None:
    etcd.members.append(member(DEAD, "node-1", HERE, "https://192.168.0.11:2379"))
    machine.stage(role)
    assert machine.boot() == 0
    assert etcd.removed == [DEAD]
    assert REMOVED in machine.story
    assert machine.verbs == ["join"]
    assert machine.calls.index(machine.calls_of("kubeadm init phase kubeconfig")[0]) < machine.calls.index(
        machine.calls_of("kubeadm join")[0]
    )
    (line,) = [line for line in machine.lines if "etcd-member-removed" in line]
    assert f"node-1 ({DEAD:x}, {HERE}, https://192.168.0.11:2379)" in line


def test_the_predecessor_of_this_name_at_another_address_is_removed(machine: Machine, etcd: Etcd, nowhere: str) -> None:
    etcd.members.append(member(DEAD, "node-1", nowhere))
    machine.stage(JOIN)
    assert machine.boot() == 0
    assert etcd.removed == [DEAD]
    assert machine.clock.elapsed() == 25 + 2 * 2


def test_the_predecessor_of_another_name_at_this_address_is_removed(machine: Machine, etcd: Etcd) -> None:
    etcd.members.append(member(DEAD, "node-7", HERE))
    machine.stage(JOIN)
    assert machine.boot() == 0
    assert etcd.removed == [DEAD]
    (question,) = machine.calls_of(f"kubectl --kubeconfig {machine.paths.work}/asking/admin.conf --cache")[1:]
    assert " get node node-7 --ignore-not-found " in question


def test_a_node_that_nobody_knows_any_more_is_as_dead(machine: Machine, etcd: Etcd) -> None:
    etcd.members.append(member(DEAD, "node-1", HERE))
    machine.answer("kubectl", "")
    machine.stage(JOIN)
    assert machine.boot() == 0
    assert etcd.removed == [DEAD]


def test_nobody_else_is_removed(machine: Machine, etcd: Etcd) -> None:
    etcd.members.append(member(DEAD, "node-3", "https://192.168.0.13:2380"))
    machine.stage(JOIN)
    assert machine.boot() == 0
    assert etcd.removed == []
    assert OK in machine.story


def test_a_member_whose_address_answers_stays(machine: Machine, etcd: Etcd) -> None:
    etcd.members.append(member(DEAD, "node-1", etcd.url))
    machine.stage(JOIN)
    assert machine.boot(until=600) is None
    assert etcd.removed == []
    assert machine.status["reason"] == "etcd-member-lives"
    assert f"something answers at {etcd.url} of etcd's member node-1" in machine.status["message"]
    assert not machine.calls_of("kubeadm join")


def test_a_member_whose_node_is_ready_stays_until_it_is_not(machine: Machine, etcd: Etcd) -> None:
    etcd.members.append(member(DEAD, "node-1", HERE))
    ready = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    machine.answer("kubectl", json.dumps(ready))
    machine.clock.at(40, lambda: machine.answer("kubectl", json.dumps(NODE)))
    machine.stage(JOIN)
    assert machine.boot() == 0
    assert "phase=etcd-member status=retry reason=etcd-member-lives" in machine.story
    assert etcd.removed == [DEAD]
    assert machine.verbs == ["join"]


def test_without_a_majority_nothing_is_removed(machine: Machine, etcd: Etcd) -> None:
    etcd.members.append(member(DEAD, "node-1", HERE))
    etcd.refusals["/v3/kv/range"] = LOST
    machine.clock.at(60, etcd.refusals.clear)
    machine.stage(JOIN)
    assert machine.boot() == 0
    assert "phase=etcd-member status=waiting reason=etcd-silent" in machine.story
    assert any("etcdserver: leader changed" in line for line in machine.lines)
    assert etcd.removed == [DEAD]


def test_a_member_that_etcd_keeps_is_named(machine: Machine, etcd: Etcd) -> None:
    etcd.members.append(member(DEAD, "node-1", HERE))
    words = "etcdserver: re-configuration failed due to not enough started members"
    etcd.refusals["/v3/cluster/member/remove"] = (400, {"code": 9, "message": words})
    machine.stage(JOIN)
    assert machine.boot(until=600) is None
    assert machine.status["reason"] == "etcd-member-stays"
    assert words in machine.status["message"]
    assert f"{DEAD:x}" in machine.status["message"]
    assert "member remove <id>" in machine.status["nextStep"]
    assert not machine.calls_of("kubeadm join")


def test_the_first_that_answers_is_asked(machine: Machine, etcd: Etcd, nowhere: str) -> None:
    etcd.members.append(member(DEAD, "node-1", HERE))
    publish(machine, nowhere, etcd.url)
    machine.stage(JOIN)
    assert machine.boot() == 0
    assert etcd.removed == [DEAD]


def test_an_etcd_that_does_not_answer_is_left_to_kubeadm(machine: Machine, nowhere: str) -> None:
    publish(machine, nowhere)
    machine.stage(JOIN)
    assert machine.boot() == 0
    assert "phase=etcd-member status=ok reason=etcd-silent" in machine.story
    assert machine.verbs == ["join"]


def test_an_etcd_of_another_ca_is_not_believed(machine: Machine, stranger: Authority, tmp_path: Path) -> None:
    etcd = Etcd(stranger, tmp_path)
    etcd.members = [member(DEAD, "node-1", HERE)]
    publish(machine, etcd.url)
    machine.stage(JOIN)
    assert machine.boot() == 0
    etcd.stop()
    assert etcd.removed == []
    assert any("certificate verify failed" in line for line in machine.lines)


def test_an_api_that_does_not_answer_is_left_to_kubeadm(machine: Machine) -> None:
    machine.script("kubectl", "echo 'connection refused' >&2; exit 1")
    machine.stage(JOIN)
    assert machine.boot() == 0
    assert "phase=etcd-member status=ok reason=etcd-silent" in machine.story


def test_a_kubeadm_that_makes_no_credentials_is_asked_again(machine: Machine, etcd: Etcd) -> None:
    etcd.members.append(member(DEAD, "node-1", HERE))
    machine.plan("kubeadm-phase", "echo 'no such phase' >&2; exit 1")
    machine.stage(JOIN)
    assert machine.boot() == 0
    assert "phase=etcd-member status=waiting reason=etcd-silent" in machine.story
    assert etcd.removed == [DEAD]


def test_a_known_member_is_not_joined_beside_because_the_api_is_silent(machine: Machine, etcd: Etcd) -> None:
    etcd.members.append(member(DEAD, "node-1", HERE))
    silent = (
        f'case "$*" in *" get pods "*) cat {machine.root}/answers/pods ;; *) echo "timed out" >&2; exit 1 ;; esac\n'
    )
    machine.script("kubectl", silent)
    machine.stage(JOIN)
    assert machine.boot(until=900) is None
    assert (machine.status["phase"], machine.status["reason"]) == ("etcd-member", "etcd-silent")
    assert etcd.removed == []
    assert not machine.calls_of("kubeadm join")


def test_an_address_that_others_may_have_too_is_no_sign(machine: Machine, etcd: Etcd) -> None:
    links = [("eth0", "192.168.0.11"), ("lo", "10.99.99.99")]
    shown = [{"ifname": link, "addr_info": [{"local": address, "scope": "global"}]} for link, address in links]
    machine.answer("ip", json.dumps(shown))
    etcd.members.append(member(DEAD, "node-3", "https://10.99.99.99:2380"))
    machine.stage(JOIN)
    assert machine.boot() == 0
    assert etcd.removed == []


def test_etcd_of_others_is_nobodys_business(machine: Machine) -> None:
    machine.stage(JOIN)
    assert machine.boot() == 0
    assert OK in machine.story


def test_waits_while_another_control_plane_joins(machine: Machine, etcd: Etcd) -> None:
    etcd.members.append(member(LEARNER, "", "https://192.168.0.13:2380", learner=True))
    machine.clock.at(60, etcd.members.pop)
    machine.stage(JOIN)
    assert machine.boot() == 0
    assert "phase=etcd-member status=waiting reason=etcd-learner" in machine.story
    assert etcd.removed == []
    assert machine.clock.elapsed() >= 60


def test_does_not_wait_for_ever_for_a_learner(machine: Machine, etcd: Etcd) -> None:
    etcd.members.append(member(LEARNER, "", "https://192.168.0.13:2380", learner=True))
    machine.stage(JOIN)
    assert machine.boot() == 0
    assert "phase=etcd-member status=ok reason=etcd-learner" in machine.story
    assert machine.verbs == ["join"]


def test_its_own_learner_that_never_started_is_gone_on_with(machine: Machine, etcd: Etcd) -> None:
    etcd.members.append(member(LEARNER, "", HERE, learner=True))
    machine.stage(JOIN)
    assert machine.boot() == 0
    assert etcd.removed == []
    assert OK in machine.story


def test_a_machine_with_data_is_its_own_member(machine: Machine, etcd: Etcd) -> None:
    etcd.members.append(member(DEAD, "node-1", HERE))
    machine.stage(JOIN)
    machine.write("/var/lib/etcd/member/db", "")
    assert machine.boot() == 0
    assert etcd.removed == []
    assert not machine.calls_of("kubeadm init phase")


@pytest.mark.usefixtures("etcd")
def test_the_credentials_are_gone_again(machine: Machine) -> None:
    machine.stage(JOIN)
    machine.plan("kubeadm-join", 'ls -R "$root/var/lib/imagegen/work" > "$root/seen"')
    assert machine.boot() == 0
    assert machine.read("seen").split() == [f"{machine.paths.work}:", "kubeadm.yaml"]


@pytest.mark.usefixtures("etcd")
def test_kubeadm_is_told_all_that_it_would_look_for(machine: Machine) -> None:
    machine.stage(JOIN)
    machine.plan("kubeadm-phase", 'cp "$6" "$root/seen.yaml"')
    assert machine.boot() == 0
    seen = machine.read("seen.yaml")
    for words in (
        "advertiseAddress: 192.168.0.11",
        "name: node-1",
        "kubernetesVersion: v1.37.2",
        f"controlPlaneEndpoint: {machine.cluster.endpoint}",
        "apiVersion: kubeadm.k8s.io/v1beta4",
    ):
        assert words in seen


class PowerCutError(BaseException):
    """The machine goes dark between two writes."""


@pytest.mark.parametrize("before", [True, False], ids=["before etcd has heard", "after etcd has done it"])
def test_power_may_fail_while_the_dead_member_is_removed(
    machine: Machine, etcd: Etcd, monkeypatch: pytest.MonkeyPatch, *, before: bool
) -> None:
    etcd.members.append(member(DEAD, "node-1", HERE))
    machine.stage(JOIN)
    remove = EtcdClient.remove

    def cut(client: EtcdClient, whom: Member) -> None:
        monkeypatch.setattr(EtcdClient, "remove", remove)
        if not before:
            remove(client, whom)
        # What is left of the work by a real cut is not swept up.
        machine.write("/var/lib/imagegen/work/asking/left", "")
        raise PowerCutError

    monkeypatch.setattr(EtcdClient, "remove", cut)
    with pytest.raises(PowerCutError):
        machine.boot()
    assert machine.boot() == 0
    assert etcd.removed == [DEAD]
    assert (REMOVED in machine.story) == before
    assert machine.verbs == ["join"]
    assert not machine.paths.work.exists()


def test_killed_before_the_join_it_removes_nothing_twice(machine: Machine, etcd: Etcd) -> None:
    etcd.members.append(member(DEAD, "node-1", HERE))
    machine.stage(JOIN)
    machine.plan("kubeadm-join", "exit 1")
    assert machine.boot() == 0
    assert etcd.removed == [DEAD]
    assert machine.story.count(OK) == 1


def test_workers_have_no_part_in_it(machine: Machine) -> None:
    machine.stage(WORKER)
    assert machine.boot() == 0
    assert not [line for line in machine.story if "etcd" in line]
