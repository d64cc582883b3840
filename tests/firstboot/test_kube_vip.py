"""kube-vip's static pod is given what only the machine knows, and the credentials that there are just then."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.firstboot.documents import INIT, JOIN
from tests.firstboot.machine import Machine

STAGED, PLACED = "/var/lib/imagegen/manifests/kube-vip.yaml", "/etc/kubernetes/manifests/kube-vip.yaml"
ADMIN, SUPER_ADMIN = "/etc/kubernetes/admin.conf", "/etc/kubernetes/super-admin.conf"
TOLD = {"kubeVip": {"initKubeconfig": SUPER_ADMIN}}
POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "kube-vip"},
    "spec": {
        "containers": [{"name": "kube-vip", "env": [{"name": "address", "value": "192.168.0.5"}]}],
        "volumes": [{"name": "kubeconfig", "hostPath": {"path": ADMIN, "type": "File"}}],
    },
}


def stage(machine: Machine, role: str, **told: object) -> None:
    machine.stage(role, **told)
    machine.write(STAGED, yaml.safe_dump(POD))


def placed(machine: Machine, path: str = PLACED) -> dict[str, Any]:
    spec: dict[str, Any] = yaml.safe_load(machine.read(path))["spec"]
    return spec


def mounted(machine: Machine, path: str = PLACED) -> str:
    return str(placed(machine, path)["volumes"][0]["hostPath"]["path"])


def keep(machine: Machine, command: str) -> None:
    """What kubeadm found there, beside."""
    machine.plan(command, f'cp "$root{PLACED}" "$root/found"')


def test_the_first_one_has_all_rights_while_it_starts_the_cluster(machine: Machine) -> None:
    stage(machine, INIT, **TOLD)
    keep(machine, "kubeadm-init")
    assert machine.boot() == 0
    assert mounted(machine, "/found") == SUPER_ADMIN
    assert mounted(machine) == ADMIN
    assert "phase=kube-vip status=ok" in machine.story
    assert machine.paths.at(PLACED).stat().st_mode & 0o777 == 0o644


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("role", [JOIN, INIT])
def test_who_joins_has_admin_conf_from_the_start(machine: Machine, role: str) -> None:
    stage(machine, role, **(TOLD if role == INIT else {}))
    keep(machine, "kubeadm-join")
    assert machine.boot() == 0
    assert mounted(machine, "/found") == ADMIN
    assert "phase=kube-vip status=ok" not in machine.story


def test_the_address_is_to_lie_where_the_node_s_own_does(machine: Machine) -> None:
    stage(machine, INIT, **TOLD)
    assert machine.boot() == 0
    environment = placed(machine)["containers"][0]["env"]
    assert environment == [{"name": "address", "value": "192.168.0.5"}, {"name": "vip_interface", "value": "eth0"}]


def test_a_failed_try_begins_with_all_rights_again(machine: Machine) -> None:
    stage(machine, INIT, **TOLD)
    (machine.bin.parent / "plans/kubeadm-init").write_text(f'exit 1\ncp "$root{PLACED}" "$root/found"\n')
    assert machine.boot() == 0
    assert machine.verbs == ["init", "reset", "init"]
    assert mounted(machine, "/found") == SUPER_ADMIN


def test_a_machine_that_was_cut_off_behind_kubeadm_puts_it_back(machine: Machine) -> None:
    stage(machine, INIT, **TOLD)
    machine.plan("kubeadm-init", "kill -9 $PPID")
    machine.start().communicate(timeout=30)
    assert mounted(machine) == SUPER_ADMIN
    machine.write("/var/lib/imagegen/state.json", '{"mode": "init", "joined": true}')
    assert machine.boot() == 0
    assert mounted(machine) == ADMIN
