"""First boots that go well, and those that cannot."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml

from tests.firstboot.documents import INIT, JOIN, OF_THE_FIRST, TOKEN, WORKER
from tests.firstboot.machine import Machine
from tests.firstboot.servers import Cluster

FINAL = 78


def test_first_node(machine: Machine) -> None:
    machine.stage(INIT)
    assert machine.boot() == 0
    assert machine.story == OF_THE_FIRST
    config = machine.paths.work / "kubeadm.yaml"
    assert machine.calls_of("kubeadm") == [f"kubeadm init --config {config} --skip-token-print"]


def test_first_node_is_told_its_address_and_restored_its_keys(machine: Machine) -> None:
    machine.stage(INIT)
    machine.plan("kubeadm-init", 'cp "$3" "$root/seen.yaml"; cp -a "$root/etc/kubernetes/pki" "$root/seen-pki"')
    assert machine.boot() == 0
    init, cluster, _ = yaml.safe_load_all(machine.read("seen.yaml"))
    assert init["localAPIEndpoint"] == {"advertiseAddress": "192.168.0.11"}
    assert init["nodeRegistration"] == {
        "name": "node-1",
        "kubeletExtraArgs": [{"name": "node-ip", "value": "192.168.0.11"}],
    }
    assert cluster["controlPlaneEndpoint"] == machine.cluster.endpoint
    assert _modes(machine.root / "seen-pki") == {
        "ca.crt": "644",
        "ca.key": "600",
        "etcd/ca.crt": "644",
        "etcd/ca.key": "600",
        "front-proxy-ca.crt": "644",
        "front-proxy-ca.key": "600",
        "sa.key": "600",
        "sa.pub": "644",
    }


def test_first_node_gives_the_cluster_its_pod_network(machine: Machine) -> None:
    machine.stage(INIT)
    machine.plan("kubectl---kubeconfig", 'cp "$7" "$root/seen.yaml"')
    assert machine.boot() == 0
    assert machine.calls_of(f"kubectl --kubeconfig {machine.paths.admin_conf} ")[0].split()[-3:-1] == ["apply", "-f"]
    _, config = yaml.safe_load_all(machine.read("seen.yaml"))
    assert json.loads(config["data"]["net-conf.json"])["Network"] == "10.99.0.0/16"


def test_pod_network_may_be_somebody_elses_business(machine: Machine) -> None:
    machine.stage(INIT, cni={"name": "none"})
    assert machine.boot() == 0
    assert "phase=cni status=ok reason=no-manifest" in machine.story
    assert not machine.calls_of("kubectl")


def test_pod_network_is_tried_until_the_api_takes_it(machine: Machine) -> None:
    machine.stage(INIT)
    machine.plan("kubectl---kubeconfig", "echo refused; exit 1", "echo refused; exit 1")
    assert machine.boot() == 0
    assert machine.story[-5:] == [
        "phase=cni status=retry reason=cni-apply-failed",
        "phase=cni status=retry reason=cni-apply-failed",
        "phase=cni status=ok",
        "phase=admin status=ok",
        "phase=done status=ok",
    ]
    assert len(machine.calls_of("kubeadm init")) == 1


def test_worker(machine: Machine, cluster: Cluster) -> None:
    machine.stage(WORKER)
    machine.clock.at(90, cluster.start)
    machine.plan("kubeadm-join", 'ls -R "$root/etc/kubernetes" > "$root/seen" 2>&1; cp "$3" "$root/seen.yaml"')
    assert machine.boot() == 0
    assert machine.story[5:] == [
        *["phase=endpoint status=waiting reason=refused"] * 3,
        "phase=endpoint status=ok",
        "phase=kubeadm-join status=ok",
        "phase=done status=ok",
    ]
    assert "pki" not in machine.read("seen")
    join = yaml.safe_load(machine.read("seen.yaml"))
    assert join["nodeRegistration"]["kubeletExtraArgs"] == [{"name": "node-ip", "value": "192.168.0.11"}]
    assert "controlPlane" not in join


def test_joining_control_plane_has_the_keys(machine: Machine, cluster: Cluster) -> None:
    cluster.start()
    machine.stage(JOIN)
    machine.write("/var/lib/imagegen/manifests/static.yaml", "kind: Pod\n")
    machine.plan("kubeadm-join", 'cp "$3" "$root/seen.yaml"; cp -a "$root/etc/kubernetes" "$root/seen"')
    assert machine.boot() == 0
    join = yaml.safe_load(machine.read("seen.yaml"))
    assert join["controlPlane"] == {"localAPIEndpoint": {"advertiseAddress": "192.168.0.11"}}
    assert machine.read("seen/pki/ca.key") == cluster.authority.key
    assert machine.read("seen/manifests/static.yaml") == "kind: Pod\n"
    assert not machine.calls_of("kubeadm reset")


def test_a_control_plane_without_its_keys_stays_out(machine: Machine) -> None:
    machine.stage(INIT)
    (machine.paths.staged_pki / "sa.key").unlink()
    assert machine.boot() == FINAL
    assert machine.status["reason"] == "pki-missing"
    assert "sa.key" in machine.status["message"]
    assert not machine.calls_of("kubeadm init")


def test_status_of_a_node(machine: Machine, cluster: Cluster) -> None:
    cluster.start()
    machine.stage(WORKER)
    assert machine.boot() == 0
    status = machine.status
    names = [phase["name"] for phase in status["phases"]]
    assert names == ["wipe", "contract", "runtime", "clock", "settle", "endpoint", "kubeadm-join", "done"]
    assert {phase["status"] for phase in status["phases"]} == {"ok"}
    assert {key: status[key] for key in ("contract", "role", "phase", "status", "reason", "tries")} == {
        "contract": 1,
        "role": WORKER,
        "phase": "done",
        "status": "done",
        "reason": "",
        "tries": 1,
    }
    assert status["since"] == "2026-11-22T08:00:00Z"
    assert machine.paths.status.stat().st_mode & 0o777 == 0o644


def test_second_boot_only_wipes(machine: Machine, cluster: Cluster) -> None:
    cluster.start()
    machine.stage(WORKER)
    assert machine.boot() == 0
    before, calls, status = len(machine.lines), machine.calls, machine.status
    copy = machine.write("/var/lib/cloud/instances/i-1/user-data.txt", f"token: {TOKEN}")
    staged = machine.write("/var/lib/imagegen/kubeadm.yaml", f"token: {TOKEN}")
    assert machine.boot() == 0
    assert machine.story[before:] == ["phase=wipe status=ok"]
    assert machine.calls == calls
    assert machine.status == status
    assert not copy.exists()
    assert not staged.exists()


def test_the_program_as_the_service_starts_it(machine: Machine) -> None:
    machine.stage(INIT, notBefore="2020-01-01T00:00:00Z")
    image = {"contract": 1, "builtBy": {}}
    machine.write("/etc/imagegen/image.json", json.dumps(image))
    # The endpoint as an address of this machine, so that one refusal is enough.
    links = [{"ifname": "eth0", "addr_info": [{"local": a, "scope": "global"} for a in ("192.168.0.11", "127.0.0.1")]}]
    machine.answer("ip", json.dumps(links))
    with machine.start() as process:
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 0, output
    assert machine.status["status"] == "done"
    assert [line for line in output.splitlines() if line.startswith("imagegen: ")] == machine.lines


@pytest.mark.parametrize(
    ("path", "content", "reason", "words"),
    [
        ("image", {"contract": 2}, "contract-mismatch", "the image speaks contract 2, the user-data contract 1"),
        ("image", None, "image-file-missing", "image.json is missing"),
        ("image", "{", "image-file-invalid", "is not JSON"),
        ("node", {"contract": 1}, "node-file-invalid", "endpoint"),
        ("node", {"contract": 1, "endpoint": "a:1", "role": "boss"}, "node-file-invalid", "unknown role 'boss'"),
        ("node", ["contract"], "node-file-invalid", "does not hold a mapping"),
    ],
)
def test_halves_that_do_not_fit(machine: Machine, path: str, content: object, reason: str, words: str) -> None:
    machine.stage(WORKER)
    file = machine.paths.at(f"/etc/imagegen/{path}.json")
    file.unlink() if content is None else file.write_text(content if isinstance(content, str) else json.dumps(content))
    assert machine.boot() == FINAL
    status = machine.status
    assert (status["phase"], status["status"], status["reason"]) == ("contract", "failed", reason)
    assert words in status["message"]
    assert status["nextStep"]
    assert machine.story[-1] == f"phase=contract status=failed reason={reason}"
    assert not machine.calls


@pytest.mark.parametrize(
    ("role", "file", "change", "words"),
    [
        (JOIN, "kubeadm.yaml", {"controlPlane": None}, "lacks the section controlPlane"),
        (WORKER, "kubeadm.yaml", {"controlPlane": {}}, "has the section controlPlane"),
        (INIT, "kubeadm-join.yaml", {"controlPlane": None}, "lacks the section controlPlane"),
        (WORKER, "kubeadm.yaml", {"kind": "InitConfiguration"}, "holds no JoinConfiguration"),
        (WORKER, "kubeadm.yaml", {"nodeRegistration": "x"}, "something else than a section"),
    ],
)
def test_a_configuration_for_another_role(
    machine: Machine, role: str, file: str, change: dict[str, object], words: str
) -> None:
    machine.stage(role)
    path = machine.paths.home / file
    first, *others = yaml.safe_load_all(path.read_text())
    path.write_text(yaml.safe_dump_all([{**first, **change}, *others]))
    assert machine.boot() == FINAL
    assert machine.status["reason"] == "config-invalid"
    assert words in machine.status["message"]
    assert not machine.calls_of("kubeadm")


def test_a_configuration_that_is_no_yaml_is_not_quoted(machine: Machine) -> None:
    machine.stage(WORKER)
    machine.write("/var/lib/imagegen/kubeadm.yaml", f"discovery: {{token: {TOKEN}\n  secret: [")
    assert machine.boot() == FINAL
    assert machine.status["reason"] == "config-invalid"
    assert "line 2" in machine.status["message"]


def _modes(folder: Path) -> dict[str, str]:
    files = [Path(where) / name for where, _, names in os.walk(folder) for name in names]
    return {str(path.relative_to(folder)): f"{path.stat().st_mode & 0o777:o}" for path in sorted(files)}
