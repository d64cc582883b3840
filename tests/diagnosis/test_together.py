"""Several nodes given at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from bootstrap import turn

from tests.diagnosis import consoles
from tests.diagnosis.told import diagnosed
from tests.firstboot.authority import Authority
from tests.firstboot.documents import INIT, JOIN, SHARED, WORKER
from tests.firstboot.machine import Machine
from tests.firstboot.servers import Cluster


@pytest.fixture
def cluster(authority: Authority, tmp_path: Path) -> Cluster:
    return Cluster(authority, tmp_path)


@pytest.fixture
def boot(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Boot:
    return Boot(cluster, tmp_path, monkeypatch)


class Boot:
    """Boots machines of one cluster, a folder for each."""

    def __init__(self, cluster: Cluster, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.cluster, self._folder, self._patch = cluster, folder, patch

    def __call__(
        self, name: str, role: str, *, said: str = "", address: str = "192.168.0.11", **changes: object
    ) -> bytes:
        folder = self._folder / name
        folder.mkdir()
        machine = Machine(folder, self.cluster)
        self._patch.setenv("PATH", f"{machine.bin}:/usr/bin:/bin")
        machine.stage(role, **changes)
        machine.write("/proc/sys/kernel/hostname", f"{name.partition('_')[0]}\n")
        links = f'[{{"ifname": "eth0", "addr_info": [{{"local": "{address}", "scope": "global"}}]}}]'
        machine.answer("ip", links)
        if said:
            machine.plan(f"kubeadm-{'init' if role == INIT else 'join'}", *[f"echo 'error: {said}'; exit 1"] * 9)
        machine.boot(until=40)
        return consoles.console(machine.lines)


def test_joiners_wait_for_an_init_that_has_failed(boot: Boot) -> None:
    found = diagnosed(
        cp1=boot("cp1", INIT, said="failed while waiting for the control plane to start"),
        w1=boot("w1", WORKER),
        w2=boot("w2", WORKER),
    )
    (sentence,) = found.together
    assert sentence == (
        "w1 and w2 wait for the endpoint (refused), and the node that starts the cluster, cp1, stands at kubeadm-init: "
        "its last try failed, kubeadm-failed. Mend that one first: the others may then go on by themselves."
    )


def test_joiners_wait_for_an_init_that_is_at_work(boot: Boot) -> None:
    first = boot("cp1", INIT).decode()
    at_work = first[: first.index("imagegen: phase=kubeadm-init")].encode()
    (sentence,) = diagnosed(cp1=at_work, w1=boot("w1", WORKER)).together
    assert sentence == (
        "w1 waits for the endpoint (refused). That is usual for as long as the node that starts the cluster, cp1, is "
        "not done."
    )


def test_joiners_wait_although_the_cluster_was_started(boot: Boot) -> None:
    (sentence,) = diagnosed(cp1=boot("cp1", INIT), w1=boot("w1", WORKER)).together
    assert sentence == (
        "w1 waits for the endpoint (refused), and cp1 has started the cluster. If these logs are of the same time, "
        "look at the endpoint's address, its balancer, and firewalls."
    )


def test_a_token_that_the_cluster_does_not_know(boot: Boot) -> None:
    first = boot("cp1", INIT)
    boot.cluster.body = {"data": {}}
    boot.cluster.start()
    worker = boot("w1", WORKER)
    boot.cluster.stop()
    (sentence,) = diagnosed(cp1=first, w1=worker).together
    assert sentence.endswith("look at the tokens: of the same secrets bundle, and not expired.")


def test_a_log_that_ends_before_it_shows_the_role(boot: Boot) -> None:
    first = boot("cp1", INIT).decode()
    early = first[: first.index("imagegen: phase=settle")].encode()
    (sentence,) = diagnosed(cp1=early, w1=boot("w1", WORKER)).together
    assert "Whether the node that starts the cluster is among cp1 and w1, these logs do not show" in sentence


def test_the_one_that_matters_may_be_missing(boot: Boot) -> None:
    (sentence,) = diagnosed(w1=boot("w1", WORKER), w2=boot("w2", WORKER)).together
    assert "w1 and w2 wait" in sentence
    assert "is not among these" in sentence


def test_two_clusters_instead_of_one(boot: Boot) -> None:
    (sentence,) = diagnosed(cp1=boot("cp1", INIT), cp2=boot("cp2", INIT)).together
    assert sentence.startswith("cp1 and cp2 have each started a cluster. If they are meant as one")


def test_one_name_for_two_machines(boot: Boot) -> None:
    boot.cluster.start()
    one, other = boot("w1", WORKER), boot("w1_again", WORKER, address="192.168.0.12")
    boot.cluster.stop()
    (sentence,) = diagnosed(one=one, other=other).together
    assert sentence.startswith("one and other are called w1 at different addresses")
    # The same machine, twice.
    assert diagnosed(one=one, again=one).together == ()


def test_a_trouble_that_is_shared(boot: Boot) -> None:
    boot.cluster.start()
    said = "x509: certificate signed by unknown authority"
    found = diagnosed(w1=boot("w1", WORKER, said=said), w2=boot("w2", WORKER, said=said))
    boot.cluster.stop()
    assert found.together == ("w1 and w2 have the same trouble (unknown-authority): look for what they share.",)


def test_nodes_that_are_done_have_nothing_to_say(boot: Boot) -> None:
    first = boot("cp1", INIT)
    boot.cluster.start()
    second = boot("w1", WORKER)
    boot.cluster.stop()
    assert diagnosed(cp1=first, w1=second).together == ()


def test_who_is_told_to_be_the_first_starts_the_cluster(boot: Boot) -> None:
    """With shared user-data, a log shows who is the first although it ends before the guard."""
    first = boot("cp1", SHARED, firstNode=["cp1"]).decode()
    early = first[: first.index("imagegen: phase=guard")].encode()
    other = boot("cp2", SHARED, address="192.168.0.12", firstNode=["cp1"])
    (sentence,) = diagnosed(cp1=early, cp2=other).together
    assert sentence == (
        "cp2 waits for the endpoint (refused). That is usual for as long as the node that starts the cluster, cp1, is "
        "not done."
    )


def test_nobody_is_the_first(boot: Boot) -> None:
    names = ["cp0", "192.168.0.99"]
    one = boot("cp1", SHARED, firstNode=names)
    other = boot("cp2", SHARED, address="192.168.0.12", firstNode=names)
    (sentence,) = diagnosed(cp1=one, cp2=other).together
    assert sentence == (
        "cp1 and cp2 wait for the endpoint (refused), and the log of the node that starts the cluster, 192.168.0.99 or "
        "cp0, is not among these: give it as well, it may have the cause. If no machine has that name or address, "
        "nobody starts the cluster: correct `nodes` or `controlPlane.firstNode` in the spec."
    )


def test_the_first_may_be_among_those_that_do_not_tell(boot: Boot) -> None:
    other = boot("cp2", SHARED, address="192.168.0.12", firstNode=["cp1"])
    early = boot("cp1", SHARED, firstNode=["cp1"]).decode().partition("imagegen: phase=settle")[0].encode()
    (sentence,) = diagnosed(cp1=early, cp2=other).together
    assert "Whether the node that starts the cluster, cp1, is among cp1 and cp2, these logs do not show" in sentence


@pytest.mark.usefixtures("at_once")
def test_a_first_that_has_found_the_cluster_does_not_start_it(boot: Boot) -> None:
    waiting = boot("w1", WORKER, address="192.168.0.14")
    boot.cluster.start()
    first = boot("cp1", SHARED, firstNode=["cp1"])
    boot.cluster.stop()
    (sentence,) = diagnosed(cp1=first, w1=waiting).together
    assert sentence.startswith("w1 waits for the endpoint (refused), and cp1 has found the cluster. If these logs are")


def test_two_firsts(boot: Boot) -> None:
    one = boot("cp1", SHARED, firstNode=["cp1"])
    other = boot("cp1_again", SHARED, firstNode=["cp1"])
    (sentence,) = diagnosed(one=one, other=other).together
    assert "keep one, and give the others names and addresses other than the first node's and new disks" in sentence


LEARNER, SICK = "etcdserver: too many learner members in cluster", "etcd cluster is not healthy"


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A try of kubeadm comes within the time that is looked at."""
    monkeypatch.setattr(turn, "APART", 0)


@pytest.mark.usefixtures("at_once")
def test_control_planes_that_wait_for_each_other(boot: Boot) -> None:
    boot.cluster.start()
    one, other = (boot(f"cp{n}", JOIN, said=LEARNER, address=f"192.168.0.1{n}") for n in (2, 3))
    boot.cluster.stop()
    (sentence,) = diagnosed(cp2=one, cp3=other).together
    assert sentence == (
        "cp2 and cp3 wait for their turn to join etcd (etcd-learner). That is usual while control planes start "
        "together."
    )
    assert diagnosed(cp2=one).together == ()


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(("said", "reason"), [(LEARNER, "etcd-learner"), (SICK, "etcd-unhealthy")])
def test_a_control_plane_that_holds_up_another(boot: Boot, said: str, reason: str) -> None:
    boot.cluster.start()
    stopped = boot("cp2", JOIN, said="failed while waiting for the kubelet to start")
    held_up = boot("cp3", JOIN, said=said, address="192.168.0.13")
    worker = boot("w1", WORKER, said="no", address="192.168.0.14")
    done = boot("cp4", JOIN, address="192.168.0.15")
    boot.cluster.stop()
    (sentence,) = diagnosed(cp2=stopped, cp3=held_up, w1=worker, cp4=done).together
    assert sentence == (
        f"cp3 waits for etcd ({reason}), and cp2 stands at kubeadm-join (kubeadm-failed). What such a control plane "
        "is, or has left, in etcd may be in the way: mend it first."
    )
    sick = done + b"[ 99.0] Out of memory: Killed process 7 (etcd)\r\n"
    (sentence,) = diagnosed(cp3=held_up, cp4=sick).together
    assert "cp4 is done, but not well (out-of-memory)" in sentence
