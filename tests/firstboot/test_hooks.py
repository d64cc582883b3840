"""The spec's own programs before and after kubeadm."""

from __future__ import annotations

import pytest

from tests.firstboot.documents import INIT, WORKER
from tests.firstboot.machine import Machine

NOTE = '#!/bin/sh\necho "{name} $IMAGEGEN_ROLE $IMAGEGEN_POOL $IMAGEGEN_NODE_NAME ${{KUBECONFIG-none}}" >> {log}\n'


def hook(machine: Machine, stage: str, name: str, body: str) -> None:
    machine.write(f"/etc/imagegen/hooks/{stage}/{name}", body).chmod(0o700)


def noting(machine: Machine, stage: str, name: str) -> None:
    hook(machine, stage, name, NOTE.format(name=f"{stage}/{name}", log=machine.root / "notes"))


def test_they_run_in_order_before_and_after_kubeadm(machine: Machine) -> None:
    machine.stage(INIT)
    for name in ("20-second", "10-first"):
        noting(machine, "pre-kubeadm", name)
    noting(machine, "post-kubeadm", "10-last")
    machine.plan("kubeadm-init", 'echo kubeadm >> "$root/notes"; touch "$root/etc/kubernetes/admin.conf"')
    assert machine.boot() == 0
    admin = machine.paths.admin_conf
    assert machine.read("notes").splitlines() == [
        "pre-kubeadm/10-first control-plane-init control-plane node-1 none",
        "pre-kubeadm/20-second control-plane-init control-plane node-1 none",
        "kubeadm",
        f"post-kubeadm/10-last control-plane-init control-plane node-1 {admin}",
    ]
    assert "phase=post-kubeadm status=ok" in machine.story


@pytest.mark.usefixtures("running")
def test_each_runs_until_it_has_succeeded_once(machine: Machine) -> None:
    machine.stage(WORKER)
    counting = "#!/bin/sh\necho once >> {0}/count\n[ $(wc -l < {0}/count) -ge 3 ] || {{ echo not yet; exit 3; }}\n"
    hook(machine, "pre-kubeadm", "10-slow", counting.format(machine.root))
    machine.plan("kubeadm-join", "echo error; exit 1", "echo error; exit 1")
    assert machine.boot() == 0
    assert machine.read("count").count("once") == 3
    assert machine.story.count("phase=pre-kubeadm status=retry reason=hook-failed") == 2
    assert any("pre-kubeadm/10-slow ended with code 3: not yet" in line for line in machine.lines)
    assert len(machine.calls_of("kubeadm join")) == 3


@pytest.mark.usefixtures("running")
def test_none_runs_again_on_the_next_boot(machine: Machine) -> None:
    machine.stage(WORKER)
    noting(machine, "pre-kubeadm", "10-first")
    noting(machine, "post-kubeadm", "10-last")
    assert machine.boot() == 0
    assert machine.boot() == 0
    assert len(machine.read("notes").splitlines()) == 2


@pytest.mark.usefixtures("running")
def test_a_node_is_not_done_before_its_hooks_are(machine: Machine) -> None:
    machine.stage(WORKER)
    hook(machine, "post-kubeadm", "10-never", "#!/bin/sh\nexit 1\n")
    assert machine.boot(until=600) is None
    assert not machine.paths.done.exists()
    assert machine.calls_of("kubeadm join")


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("body", ["", "no program\n", "#!/no/such/interpreter\n"])
def test_what_cannot_be_run_says_so(machine: Machine, body: str) -> None:
    machine.stage(WORKER)
    hook(machine, "pre-kubeadm", "10-broken", body)
    assert machine.boot(until=60) is None
    assert machine.status["reason"] == "hook-failed"


@pytest.mark.usefixtures("running")
def test_what_a_hook_says_is_masked(machine: Machine) -> None:
    machine.stage(WORKER)
    staged = machine.paths.home / "kubeadm.yaml"
    hook(machine, "pre-kubeadm", "10-loud", f"#!/bin/sh\ncat {staged}\n")
    assert machine.boot() == 0
    log = machine.read("/var/log/imagegen/pre-kubeadm-10-loud.log")
    assert "kind: JoinConfiguration" in log
    assert "0123456789abcdef" not in log
