"""What an earlier try has left behind is gone on with where it is worth something."""

from __future__ import annotations

import json

import pytest

from tests.firstboot.documents import INIT, JOIN, WORKER
from tests.firstboot.machine import Machine
from tests.firstboot.servers import Cluster

NODE = '{"metadata": {"labels": {}}}'
CONTROL_PLANE = '{"metadata": {"labels": {"node-role.kubernetes.io/control-plane": ""}}}'


def test_the_first_node_resets_while_it_has_no_data(machine: Machine) -> None:
    machine.stage(INIT)
    machine.plan("kubeadm-init", "exit 1")
    assert machine.boot() == 0
    assert machine.verbs == ["init", "reset", "init"]


def test_the_first_node_never_resets_its_data(machine: Machine) -> None:
    machine.stage(INIT)
    data = 'mkdir -p "$root/var/lib/etcd/member"'
    machine.plan("kubeadm-init", f"{data}; exit 1", "exit 1")
    assert machine.boot() == 0
    assert machine.verbs == ["init", "init", "init"]
    assert ["--ignore-preflight-errors=" in call for call in machine.calls_of("kubeadm init")] == [False, True, True]


def test_the_first_node_never_resets_data_elsewhere(machine: Machine) -> None:
    machine.stage(INIT)
    config = machine.paths.home / "kubeadm.yaml"
    folder = "etcd: {local: {dataDir: /data/etcd}}"
    config.write_text(config.read_text().replace("kind: ClusterConfiguration", f"kind: ClusterConfiguration\n{folder}"))
    machine.plan("kubeadm-init", 'mkdir -p "$root/data/etcd/member"; exit 1')
    assert machine.boot() == 0
    assert machine.verbs == ["init", "init"]
    assert "DirAvailable--data-etcd" in machine.calls_of("kubeadm init")[1]


def test_everything_ignored_stays_so(machine: Machine) -> None:
    machine.stage(INIT)
    config = machine.paths.home / "kubeadm.yaml"
    text = config.read_text()
    ignore = "nodeRegistration: {ignorePreflightErrors: [All]}"
    config.write_text(text.replace("kind: InitConfiguration", f"kind: InitConfiguration\n{ignore}"))
    machine.plan("kubeadm-init", 'mkdir -p "$root/var/lib/etcd/member"; exit 1')
    assert machine.boot() == 0
    assert "--ignore-preflight-errors" not in machine.calls_of("kubeadm init")[1]


@pytest.mark.usefixtures("running")
def test_a_joining_control_plane_never_resets_its_data(machine: Machine) -> None:
    machine.stage(JOIN)
    machine.plan("kubeadm-join", 'mkdir -p "$root/var/lib/etcd/member"; exit 1')
    assert machine.boot() == 0
    assert machine.verbs == ["join", "join"]
    # kubeadm does not join as a node that is Ready, so its kubelet must be silent meanwhile.
    assert machine.calls.index("systemctl stop kubelet") < machine.calls.index(machine.calls_of("kubeadm join")[1])
    assert "FileAvailable--etc-kubernetes-kubelet.conf" in machine.calls_of("kubeadm join")[1]


@pytest.mark.usefixtures("running")
def test_a_joining_control_plane_never_resets_data_where_its_cluster_puts_it(machine: Machine) -> None:
    machine.stage(JOIN)
    manifest = {"spec": {"volumes": [{"name": "etcd-data", "hostPath": {"path": "/data/etcd"}}]}}
    machine.write("etcd.yaml", json.dumps(manifest))
    place = '"$root/etc/kubernetes/manifests"; cp "$root/etcd.yaml" "$root/etc/kubernetes/manifests"'
    machine.plan("kubeadm-join", f'mkdir -p "$root/data/etcd/member" {place}; exit 1')
    assert machine.boot() == 0
    assert machine.verbs == ["join", "join"]


@pytest.mark.usefixtures("running")
def test_a_worker_that_is_a_node_already_is_done(machine: Machine) -> None:
    machine.stage(WORKER)
    machine.write("/etc/kubernetes/kubelet.conf", "")
    machine.write("/etc/kubernetes/bootstrap-kubelet.conf", "token")
    machine.answer("kubectl", NODE)
    assert machine.boot() == 0
    assert machine.story[-2:] == ["phase=kubeadm-join status=ok reason=resumed", "phase=done status=ok"]
    (question,) = machine.calls_of("kubectl")
    assert f"--server https://{machine.cluster.endpoint} " in question
    assert question.endswith(" get node node-1 -o json")
    assert not machine.calls_of("kubeadm")
    assert not machine.has("/etc/kubernetes/bootstrap-kubelet.conf")


@pytest.mark.usefixtures("running")
def test_a_worker_with_a_certificate_needs_no_token(machine: Machine, cluster: Cluster) -> None:
    cluster.body = {"data": {"kubeconfig": ""}}
    machine.stage(WORKER)
    machine.write("/etc/kubernetes/kubelet.conf", "")
    machine.answer("kubectl", NODE)
    assert machine.boot() == 0


@pytest.mark.usefixtures("running")
def test_a_worker_that_is_no_node_begins_again(machine: Machine) -> None:
    machine.stage(WORKER)
    machine.plan("kubeadm-join", 'touch "$root/etc/kubernetes/kubelet.conf"; exit 1')
    machine.plan("kubectl---kubeconfig", "echo 'nodes \"node-1\" not found' >&2; exit 1")
    machine.write("/etc/kubernetes/.keep", "")
    assert machine.boot() == 0
    assert machine.verbs == ["join", "reset", "join"]


@pytest.mark.usefixtures("running")
def test_a_worker_that_gets_no_answer_does_not_begin_again(machine: Machine) -> None:
    machine.stage(WORKER)
    machine.write("/etc/kubernetes/kubelet.conf", "")
    machine.answer("kubectl", NODE)
    machine.plan("kubectl---kubeconfig", "echo 'dial tcp: connection refused' >&2; exit 1")
    assert machine.boot() == 0
    assert "phase=kubeadm-join status=retry reason=api-silent" in machine.story
    assert not machine.calls_of("kubeadm")


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize(
    ("labels", "member", "expected"),
    [(CONTROL_PLANE, True, []), (NODE, True, ["join"]), (CONTROL_PLANE, False, ["join"])],
    ids=["marked by kubeadm", "not marked", "marked, but this disk has no etcd"],
)
def test_a_control_plane_is_done_when_kubeadm_has_marked_it(
    machine: Machine, labels: str, expected: list[str], *, member: bool
) -> None:
    machine.stage(JOIN)
    machine.write("/etc/kubernetes/kubelet.conf", "")
    if member:
        machine.write("/var/lib/etcd/member/db", "")
    machine.answer("kubectl", labels)
    assert machine.boot() == 0
    assert machine.verbs == expected
