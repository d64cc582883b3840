"""No token and no key in anything that is shown, logged or left behind."""

from __future__ import annotations

import json

import pytest
from bootstrap.masking import Masker

from tests.firstboot.documents import INIT, JOIN, TOKEN, WORKER
from tests.firstboot.machine import Machine
from tests.firstboot.servers import Cluster

SECRET = TOKEN.partition(".")[2]
KEY = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----"


@pytest.mark.parametrize("role", [INIT, JOIN, WORKER])
def test_a_talkative_kubeadm(machine: Machine, cluster: Cluster, capfd: pytest.CaptureFixture[str], role: str) -> None:
    verb = "init" if role == INIT else "join"
    if role != INIT:
        cluster.start()
    machine.stage(role)
    talk = f"echo 'kubeadm join --token {TOKEN}'; echo 'error: token {TOKEN} is no good' >&2; exit 1"
    machine.plan(f"kubeadm-{verb}", talk, f"echo 'error: could not use {TOKEN}'; exit 1")
    assert machine.boot() == 0
    output = capfd.readouterr()
    shown = [*machine.lines, output.out, output.err, json.dumps(machine.status)]
    logs = [path.read_text() for path in machine.paths.logs.iterdir()]
    assert not [text for text in (*shown, *logs) if SECRET in text]
    assert any("kubeadm join --token abcdef.******" in text or "--token ******" in text for text in logs)
    assert any("token ****** is no good" in line for line in machine.lines)
    left = [name for name, content in machine.every_file().items() if SECRET.encode() in content]
    assert left == []


def test_a_bug_does_not_tell_secrets(machine: Machine) -> None:
    machine.stage(WORKER)
    machine.answer("ip", json.dumps([{"ifname": "eth0", "addr_info": [{"local": TOKEN, "scope": "global"}]}]))
    machine.boot(until=60)
    assert machine.status["reason"] == "internal-error"
    assert "'abcdef.******' does not appear" in machine.status["message"]
    assert SECRET not in "".join(machine.lines) + machine.paths.status.read_text()


def test_a_token_that_kubeadm_takes_for_none_is_hidden_too(machine: Machine, running: Cluster) -> None:
    machine.stage(WORKER)
    path = machine.paths.home / "kubeadm.yaml"
    path.write_text(path.read_text().replace(TOKEN, "ABCDEF.much-too-long-for-a-token"))
    running.body = {"data": {"jws-kubeconfig-ABCDEF": ""}}
    machine.plan("kubeadm-join", """echo 'error: invalid token "ABCDEF.much-too-long-for-a-token"'; exit 3""")
    assert machine.boot() == 78
    assert "much-too-long" not in json.dumps(machine.status)
    assert not [line for line in machine.lines if "much-too-long" in line]


@pytest.mark.usefixtures("running")
def test_logs_are_for_root(machine: Machine) -> None:
    machine.stage(WORKER)
    assert machine.boot() == 0
    assert machine.paths.logs.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in machine.paths.logs.iterdir()] == [0o600]


@pytest.mark.usefixtures("running")
def test_logs_do_not_grow_for_ever(machine: Machine) -> None:
    machine.stage(WORKER)
    log = machine.write("/var/log/imagegen/kubeadm-join.log", "x" * (2 << 20))
    machine.plan("kubeadm-join", "echo fresh")
    assert machine.boot() == 0
    assert log.read_text() == "fresh\n"
    assert log.with_suffix(".log.1").stat().st_size == 2 << 20


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"--token {TOKEN} --x", "--token abcdef.****** --x"),
        ("token abcdef.0123456789abcdef.", "token abcdef.******."),
        ("kubeadm join --certificate-key 0123 --y", "kubeadm join --certificate-key ****** --y"),
        ("--discovery-token-ca-cert-hash sha256:abc", "--discovery-token-ca-cert-hash sha256:abc"),
        (f"a {KEY} b", "a ****** b"),
        ("-----BEGIN EC PRIVATE KEY-----\nMIGH", "******"),
        ("known-secret", "******"),
        ("no secret", "no secret"),
    ],
)
def test_masking(text: str, shown: str) -> None:
    mask = Masker()
    mask.learn({"known-secret", "no", ""})
    assert mask(text) == shown
