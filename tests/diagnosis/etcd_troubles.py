"""Control planes in trouble with etcd: the real first boot, run into each reason that it knows of its members."""

from __future__ import annotations

from tests.diagnosis.scene import Scene, trouble
from tests.firstboot.documents import INIT
from tests.firstboot.members import LOST, member
from tests.firstboot.test_membership import DEAD, HERE, LEARNER


@trouble("etcd-data")
def _(scene: Scene) -> None:
    scene.machine.stage(INIT)
    scene.machine.write("/var/lib/etcd/member/snap/db", "the cluster")
    assert scene.machine.boot() == 0


@trouble("etcd-learner")
def _(scene: Scene) -> None:
    with scene.etcd(member(LEARNER, "", "https://192.168.0.13:2380", learner=True)):
        scene.plane().boot(until=60)


@trouble("etcd-member-lives")
def _(scene: Scene) -> None:
    with scene.etcd() as etcd:
        etcd.members.append(member(DEAD, "node-1", etcd.url))
        scene.plane().boot(until=60)


@trouble("etcd-member-removed")
def _(scene: Scene) -> None:
    with scene.etcd(member(DEAD, "node-1", HERE)):
        assert scene.plane().boot() == 0


@trouble("etcd-member-stays")
def _(scene: Scene) -> None:
    said = "etcdserver: re-configuration failed due to not enough started members"
    with scene.etcd(member(DEAD, "node-1", HERE)) as etcd:
        etcd.refusals["/v3/cluster/member/remove"] = (400, {"code": 9, "message": said})
        scene.plane().boot(until=60)


@trouble("etcd-silent")
def _(scene: Scene) -> None:
    with scene.etcd() as etcd:
        etcd.refusals["/v3/kv/range"] = LOST
        scene.plane().boot(until=60)


@trouble("etcd-unhealthy")
def _(scene: Scene) -> None:
    said = "error execution phase check-etcd: etcd cluster is not healthy: context deadline exceeded"
    scene.plane().plan("kubeadm-join", *[f"echo 'error: {said}'; exit 1"] * 9)
    scene.machine.boot(until=60)
