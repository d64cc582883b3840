"""`imagegen explain SPEC --role ROLE` says what the user-data and the node's own program do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from imagegen import assets
from imagegen.inspection import inspect_artifact
from imagegen.journey import DESCRIBED
from tests.golden.test_golden import CASES
from tests.support.program import run_forked
from tests.support.specs import render, run, spec

ROLES = ("control-plane-init", "control-plane-join", "worker-workers")


def told(path: Path, role: str) -> dict[str, Any]:
    result = run("explain", path, "--role", role, "--format", "json")
    assert result.exit_code == 0, result.stderr
    journey: dict[str, Any] = json.loads(result.stdout)
    return journey


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A spec without a bundle, and without anything in its folder."""
    monkeypatch.chdir(tmp_path)
    path = Path("demo.yaml")
    path.write_text(yaml.safe_dump(spec(controlPlane={"encryptSecrets": True}, files=[{"path": "/a", "content": "b"}])))
    return path


@pytest.mark.parametrize("algorithm", ["ECDSA-P256", "RSA-2048"])
def test_files_are_those_of_a_render(cluster: Path, algorithm: str) -> None:
    data = yaml.safe_load(cluster.read_text())
    cluster.write_text(yaml.safe_dump(data | {"kubeadm": {"encryptionAlgorithm": algorithm}}))
    before = {role: told(cluster, role) for role in ROLES}
    assert list(Path().iterdir()) == [cluster]
    run("secrets", "new", cluster)
    assert run("render", cluster).exit_code == 0
    held = yaml.safe_load(Path("demo.secrets.yaml").read_text())
    keys = [held[name]["key"] for name in ("clusterCA", "etcdCA", "frontProxyCA")]
    secrets = [*held["tokens"].values(), held["encryptionKey"], *keys, held["serviceAccount"]["private"]]
    for role, journey in before.items():
        user_data = Path(f"out/demo/user-data/{role}.yaml").read_bytes()
        (part,) = inspect_artifact(user_data).parts
        assert [(file["path"], file["mode"]) for file in journey["files"]] == [(f.path, f.mode) for f in part.files]
        for said, real in zip(journey["files"], part.files, strict=True):
            assert said["bytes"] == pytest.approx(len(real.content), abs=0 if said["exact"] else 12), said
            assert said["secret"] == any(secret in real.content.decode() for secret in secrets), said
        assert journey["userData"]["bytes"] == pytest.approx(len(user_data), rel=0.02)


def test_no_secret_is_shown_where_there_is_a_bundle(cluster: Path) -> None:
    run("secrets", "new", cluster)
    held = yaml.safe_load(Path("demo.secrets.yaml").read_text())
    for form in ("text", "json"):
        said = run("explain", cluster, "--role", "control-plane-init", "--format", form).stdout
        for secret in (*held["tokens"].values(), held["encryptionKey"], held["clusterCA"]["key"].splitlines()[1]):
            assert secret not in said
            assert secret.partition(".")[0] not in said


@pytest.mark.parametrize("case", CASES)
def test_everything_in_user_data_has_its_words(case: str, cluster: Path) -> None:
    cluster.write_text(yaml.safe_dump(CASES[case]))
    for artifact in render(CASES[case]).artifacts:
        settings = inspect_artifact(artifact.plain).parts[0].settings
        assert set(settings) <= DESCRIBED
        assert len(told(cluster, artifact.role)["cloudInit"]) >= len(settings)


def test_words_of_cloud_init(cluster: Path) -> None:
    data = spec(
        admin={"user": "ops", "sshAuthorizedKeys": ["ssh-ed25519 AAAA a", "ssh-ed25519 AAAA b"]},
        nodePools=[{"name": "workers", "disks": [{"device": "/dev/vdb", "mountPath": "/srv", "filesystem": "ext4"}]}],
        time={"servers": ["192.168.0.1"]},
    )
    cluster.write_text(yaml.safe_dump(data))
    said = run("explain", cluster, "--role", "worker-workers").stdout
    for words in (
        "disk_setup: makes a file system on /dev/vdb (ext4)",
        "mounts: mounts /dev/vdb on /srv",
        "users_groups: makes the user `ops`: 2 SSH keys",
        "runcmd: runs `systemctl try-restart chronyd.service`",
    ):
        assert words in said
    places = [said.index(module) for module in ("write_files", "disk_setup", "mounts", "users_groups", "runcmd")]
    assert places == sorted(places)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_goes_through_its_phases(cluster: Path, role: str) -> None:
    kind = "worker" if role.startswith("worker") else role
    stages = {stage["name"]: stage for stage in told(cluster, role)["phases"]}
    first = kind == "control-plane-init"
    phases = [phase for phase in assets.phases() if not phase.hooks and not phase.setting]
    joins = [phase for phase in phases if kind in phase.roles and (first or "join" in phase.modes)]
    assert list(stages) == [phase.name for phase in joins]
    assert stages["clock"]["limitSeconds"] == 300
    assert stages["clock"]["atLimit"] == "go on"
    assert (stages["kubeadm-join"]["condition"] is not None) == first
    assert stages["kubeadm-join"]["again"] == "settle"


@pytest.mark.parametrize(
    ("cni", "role", "words"),
    [
        ("none", "worker-workers", "which you give the cluster"),
        ("flannel", "worker-workers", "once the cluster's flannel runs"),
        ("flannel", "control-plane-init", "once the flannel that was applied runs"),
    ],
)
def test_until_ready(cluster: Path, cni: str, role: str, words: str) -> None:
    cluster.write_text(yaml.safe_dump(spec(network={"cni": cni})))
    assert words in told(cluster, role)["ready"]


def test_a_cluster_made_elsewhere(cluster: Path) -> None:
    run("secrets", "new", cluster)
    authority = yaml.safe_load(Path("demo.secrets.yaml").read_text())["clusterCA"]["certificate"]
    data = spec(metadata={"name": "theirs"})
    data["controlPlane"] = {"existing": {"endpoint": "192.168.0.242:6443", "caCertificate": authority}}
    cluster.write_text(yaml.safe_dump(data))
    assert told(cluster, "worker-workers")["files"]
    refused = run("explain", cluster, "--role", "control-plane-init")
    assert refused.exit_code == 1
    assert "known: worker-workers" in refused.stderr


def test_a_code_has_no_role() -> None:
    assert run_forked("explain", "IG204", "--role", "worker-workers").code == 2


def test_hooks_are_told_where_there_are_any(cluster: Path) -> None:
    hook = {"name": "note", "script": "#!/bin/sh\ntrue\n", "roles": ["workers"]}
    cluster.write_text(yaml.safe_dump(spec(hooks={"preKubeadm": [hook]})))
    names = {role: [phase["name"] for phase in told(cluster, role)["phases"]] for role in ROLES}
    assert {role for role, phases in names.items() if "pre-kubeadm" in phases} == {"worker-workers"}
    assert not any("post-kubeadm" in phases for phases in names.values())
