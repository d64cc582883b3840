"""A console, cut off at any line, in one line."""

from __future__ import annotations

from ipaddress import IPv4Interface

import pytest

from imagegen import assets
from imagegen.booting.lineup import Member
from imagegen.booting.view import View, view
from imagegen.diagnosis.findings import Knowledge
from imagegen.plan import RoleKind

START = "[    0.000000] Linux version 6.1\nimagegen: phase=wipe status=ok seconds=0.0\n"
SETTLED = 'imagegen: phase=settle status=ok seconds=0.1 message="cp1, address 10.0.0.1"\n'


def seen(console: str, kind: RoleKind = RoleKind.CONTROL_PLANE_INIT) -> View:
    member = Member(name="cp1", address=IPv4Interface("10.0.0.1/24"), role=kind, kind=kind, image="demo")
    known = Knowledge(tables=assets.catalog().symptoms, next_steps=assets.next_steps(), mask=assets.masker())
    return view(member, console.encode(), assets.phases(), known)


def test_before_first_boot_speaks_it_boots() -> None:
    assert seen("[    0.000000] Linux version 6.1\n") == View(phase="boot", status="running")


@pytest.mark.parametrize(
    ("kind", "behind", "phase"),
    [
        pytest.param(RoleKind.CONTROL_PLANE_INIT, "guard", "kubeadm-init", id="the first starts the cluster"),
        pytest.param(RoleKind.CONTROL_PLANE_INIT, "endpoint", "turn", id="the first has found a cluster"),
        pytest.param(RoleKind.CONTROL_PLANE_JOIN, "settle", "endpoint", id="a further control plane"),
        pytest.param(RoleKind.WORKER, "endpoint", "kubeadm-join", id="a worker takes no turn"),
        pytest.param(RoleKind.WORKER, "post-kubeadm", "behind post-kubeadm", id="a hook"),
    ],
)
def test_what_is_over_is_not_what_it_is_at(kind: RoleKind, behind: str, phase: str) -> None:
    found = seen(f"{START}imagegen: phase={behind} status=ok seconds=0.1\n", kind)
    assert found == View(phase=phase, status="running")


def test_a_wait_is_told_in_plain_words() -> None:
    found = seen(f"{START}imagegen: phase=endpoint status=waiting seconds=0.1 reason=refused\n", RoleKind.WORKER)
    assert (found.phase, found.status, found.reason) == (
        "endpoint",
        "waiting",
        "refused: nothing listens at the endpoint",
    )


def test_a_failed_try_is_told_in_the_node_s_own_words() -> None:
    line = 'imagegen: phase=kubeadm-init status=retry seconds=9.0 reason=kubeadm-failed message="port 6443 is in use"\n'
    found = seen(START + line)
    assert (found.status, found.reason, found.over) == (
        "failed, is tried again",
        "kubeadm-failed: port 6443 is in use",
        False,
    )


def test_nothing_in_it_moves_a_cursor() -> None:
    line = 'imagegen: phase=kubeadm-init status=retry seconds=9.0 reason=kubeadm-failed message="red \\u001b[31m"\n'
    assert seen(START + line).reason == "kubeadm-failed: red \ufffd[31m"


def test_what_fails_for_good_is_over() -> None:
    found = seen(f"{START}imagegen: phase=contract status=failed seconds=0.0 reason=contract-mismatch\n")
    assert found.over


def test_done_says_what_the_node_is_called() -> None:
    found = seen(f"{START}{SETTLED}imagegen: phase=done status=ok seconds=0.0\n")
    assert (found.joined, found.node) == (True, "cp1")
