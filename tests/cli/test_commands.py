"""The commands, as a user runs them one after the other."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from imagegen.inspection import inspect_artifact
from imagegen.spec import ProviderType
from tests.support.specs import run, spec


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a spec and its secrets."""
    monkeypatch.chdir(tmp_path)
    path = Path("demo.yaml")
    path.write_text(yaml.safe_dump(spec()))
    assert run("secrets", "new", path).exit_code == 0
    return path


def join_token(role: str) -> str:
    """The token that the rendered user-data of a role joins with."""
    inspection = inspect_artifact(Path(f"out/demo/user-data/{role}.yaml").read_bytes())
    files = {file.path: file.content for file in inspection.parts[0].files}
    token: str = yaml.safe_load(files["/var/lib/imagegen/kubeadm.yaml"])["discovery"]["bootstrapToken"]["token"]
    return token


def test_render_needs_the_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("demo.yaml").write_text(yaml.safe_dump(spec()))
    result = run("render", "demo.yaml")
    assert result.exit_code == 1
    assert "imagegen secrets new demo.yaml" in result.stderr
    assert not Path("out").exists()


def test_a_second_bundle_is_refused(cluster: Path) -> None:
    before = Path("demo.secrets.yaml").read_bytes()
    result = run("secrets", "new", cluster)
    assert result.exit_code == 1
    assert Path("demo.secrets.yaml").read_bytes() == before


def test_a_readable_bundle_is_refused(cluster: Path) -> None:
    Path("demo.secrets.yaml").chmod(0o640)
    result = run("render", cluster)
    assert result.exit_code == 1
    assert "chmod 600" in result.stderr


def test_a_tracked_bundle_is_refused(cluster: Path) -> None:
    for command in (["init", "--quiet"], ["add", "--force", "demo.secrets.yaml"]):
        subprocess.run(["git", *command], check=True)
    result = run("secrets", "check", cluster)
    assert result.exit_code == 1
    assert "git rm --cached" in result.stderr


def test_render_writes_a_private_folder_with_a_true_manifest(cluster: Path) -> None:
    result = run("render", cluster)
    assert result.exit_code == 0, result.stderr
    folder = Path("out/demo")
    assert folder.stat().st_mode & 0o777 == 0o700
    manifest = json.loads((folder / "manifest.json").read_text())
    written = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert written == {*manifest["files"], "manifest.json"}
    for name, facts in manifest["files"].items():
        assert (folder / name).stat().st_size == facts["size"]
        assert f"{(folder / name).stat().st_mode & 0o7777:04o}" == facts["mode"]


def test_render_says_what_changed(cluster: Path) -> None:
    assert run("render", cluster).stdout.count(" new\n") == 3
    assert run("render", cluster).stdout.count(" the same\n") == 3
    pool = {**spec()["nodePools"][0], "labels": {"a": "b"}}
    cluster.write_text(yaml.safe_dump(spec(nodePools=[pool])))
    said = run("render", cluster).stdout
    assert [said.count(f" {word}\n") for word in ("the same", "changed")] == [2, 1]
    assert "bake anew" not in said
    cluster.write_text(yaml.safe_dump(spec(network={"cni": "none"})))
    assert "bake anew" in run("render", cluster).stdout


def test_a_folder_of_somebody_else_s_is_left_alone(cluster: Path) -> None:
    Path("out/demo").mkdir(parents=True)
    Path("out/demo/thesis.txt").write_text("mine")
    result = run("render", cluster)
    assert result.exit_code == 1
    assert "not a folder that imagegen made" in result.stderr
    assert Path("out/demo/thesis.txt").read_text() == "mine"


def test_show_says_no_secret(cluster: Path) -> None:
    tokens = yaml.safe_load(Path("demo.secrets.yaml").read_text())["tokens"]
    for form in ("text", "json"):
        shown = run("secrets", "show", cluster, "--format", form).stdout
        assert tokens["workers"][:6] in shown
        assert tokens["workers"] not in shown
        assert "PRIVATE" not in shown


def test_rotating_a_token_changes_one_pool_alone(cluster: Path) -> None:
    run("render", cluster)
    old, plane = join_token("worker-workers"), join_token("control-plane-join")
    result = run("token", "rotate", cluster, "--pool", "workers")
    assert result.exit_code == 0, result.stderr
    new = join_token("worker-workers")
    assert new != old
    assert join_token("control-plane-join") == plane
    manifest = yaml.safe_load(Path("out/demo/tokens/workers.yaml").read_text())
    assert f"{manifest['stringData']['token-id']}.{manifest['stringData']['token-secret']}" == new
    assert manifest["metadata"]["name"] == f"bootstrap-token-{new[:6]}"
    assert f"delete secret bootstrap-token-{old[:6]}" in result.stdout
    assert Path("out/demo/tokens/workers.yaml").stat().st_mode & 0o777 == 0o600


def test_renewing_a_token_keeps_it(cluster: Path) -> None:
    run("render", cluster)
    token = join_token("worker-workers")
    assert run("token", "renew", cluster, "--pool", "workers").exit_code == 0
    data = yaml.safe_load(Path("out/demo/tokens/workers.yaml").read_text())["stringData"]
    assert f"{data['token-id']}.{data['token-secret']}" == token
    assert data["expiration"].endswith("Z")


def test_a_pool_added_later_gets_its_token_by_rotation(cluster: Path) -> None:
    cluster.write_text(yaml.safe_dump(spec(nodePools=[{"name": "workers"}, {"name": "gpu"}])))
    refused = run("render", cluster)
    assert refused.exit_code == 1
    assert "token rotate" in refused.stderr
    assert run("token", "rotate", cluster, "--pool", "gpu").exit_code == 0
    assert join_token("worker-gpu")


def test_an_unknown_pool_is_refused(cluster: Path) -> None:
    result = run("token", "rotate", cluster, "--pool", "wokers")
    assert result.exit_code == 1
    assert "known: control-plane, workers" in result.stderr


def test_importing_a_pki_folder(cluster: Path) -> None:
    run("render", cluster)
    inspection = inspect_artifact(Path("out/demo/user-data/control-plane-join.yaml").read_bytes())
    for file in inspection.parts[0].files:
        if "/pki/" in file.path:
            target = Path("pki") / file.path.partition("/pki/")[2]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.content)
    result = run("secrets", "import", cluster, "--pki", "pki", "--secrets", "imported.yaml")
    assert result.exit_code == 0, result.stderr
    made, imported = (yaml.safe_load(Path(name).read_text()) for name in ("demo.secrets.yaml", "imported.yaml"))
    assert imported["clusterCA"] == made["clusterCA"]
    assert imported["tokens"] != made["tokens"]
    Path("pki/etcd/ca.key").unlink()
    refused = run("secrets", "import", cluster, "--pki", "pki", "--secrets", "again.yaml")
    assert refused.exit_code == 1
    assert "etcd/ca.key missing" in refused.stderr


def test_a_pki_whose_key_is_another_s_is_refused(cluster: Path) -> None:
    test_importing_a_pki_folder(cluster)
    for name in ("ca.key", "front-proxy-ca.key"):
        Path("pki/etcd/ca.key").write_text(Path(f"pki/{name}").read_text())
    refused = run("secrets", "import", cluster, "--pki", "pki", "--secrets", "again.yaml")
    assert refused.exit_code == 1
    assert "etcdCA: the key does not belong to the certificate" in refused.stderr
    assert not Path("again.yaml").exists()


@pytest.mark.parametrize("provider", list(ProviderType))
def test_init_writes_a_spec_that_is_fine(provider: str, tmp_path: Path) -> None:
    path = tmp_path / "cluster.yaml"
    assert run("init", path, "--provider", provider).exit_code == 0
    assert run("validate", path).exit_code == 0
    assert run("init", path).exit_code == 1


def test_init_refuses_what_is_wrong(tmp_path: Path) -> None:
    result = run("init", tmp_path / "cluster.yaml", "--node-cidr", "10.244.1.0/24")
    assert result.exit_code == 1
    assert "IG204" in result.stderr
    assert not (tmp_path / "cluster.yaml").exists()


def test_validate_as_json(cluster: Path) -> None:
    cluster.write_text(yaml.safe_dump(spec(kubernetes={"version": "1.99.0"})))
    result = run("validate", cluster, "--format", "json")
    assert result.exit_code == 1
    findings = json.loads(result.stdout)
    assert [finding["code"] for finding in findings] == ["IG201"]
    assert findings[0]["path"] == ["kubernetes", "version"]


def test_validate_as_json_without_findings(cluster: Path) -> None:
    assert json.loads(run("validate", cluster, "--format", "json").stdout) == []


def test_the_line_with_a_secret_is_not_shown(cluster: Path) -> None:
    cluster.write_text(yaml.safe_dump(spec(files=[{"path": "/a", "content": "abc123.0123456789abcdef"}])))
    result = run("validate", cluster)
    assert "IG106" in result.stderr
    assert "0123456789abcdef" not in result.stderr + result.stdout


@pytest.fixture
def existing(cluster: Path) -> Path:
    """A spec for workers of the cluster, as if it had been made elsewhere."""
    authority = yaml.safe_load(Path("demo.secrets.yaml").read_text())["clusterCA"]["certificate"]
    data = spec(metadata={"name": "workers-only"})
    data["controlPlane"] = {"existing": {"endpoint": "192.168.0.242:6443", "caCertificate": authority}}
    path = cluster.with_name("workers-only.yaml")
    path.write_text(yaml.safe_dump(data))
    return path


def test_workers_for_a_cluster_made_elsewhere(cluster: Path, existing: Path) -> None:
    run("render", cluster)
    assert run("secrets", "new", existing).exit_code == 0
    assert "PRIVATE KEY" not in Path("workers-only.secrets.yaml").read_text().replace("OPENSSH PRIVATE KEY", "")
    assert run("render", existing).exit_code == 0
    made = Path("out/workers-only/user-data")
    assert [path.name for path in made.iterdir()] == ["worker-workers.yaml"]
    own, theirs = (Path(f"out/{name}/user-data/worker-workers.yaml").read_text() for name in ("demo", "workers-only"))
    pin = next(line for line in own.splitlines() if "sha256:" in line)
    assert pin in theirs
    refused = run("kubeconfig", existing)
    assert refused.exit_code == 1
    assert "made elsewhere" in refused.stderr


def test_several_pins_while_a_ca_is_replaced(existing: Path) -> None:
    data = yaml.safe_load(existing.read_text())
    run("secrets", "new", "demo.yaml", "--secrets", "other.yaml")
    data["controlPlane"]["existing"]["caCertificate"] += yaml.safe_load(Path("other.yaml").read_text())["clusterCA"][
        "certificate"
    ]
    existing.write_text(yaml.safe_dump(data))
    assert run("secrets", "new", existing).exit_code == 0
    assert run("render", existing).exit_code == 0
    assert Path("out/workers-only/user-data/worker-workers.yaml").read_text().count("sha256:") == 2


def test_the_bundle_of_another_cluster_is_refused(cluster: Path) -> None:
    cluster.write_text(yaml.safe_dump(spec(metadata={"name": "other"})))
    result = run("render", cluster, "--secrets", "demo.secrets.yaml")
    assert result.exit_code == 1
    assert "IG304" in result.stderr


def test_a_bundle_that_cannot_be_read_is_not_repeated(cluster: Path) -> None:
    path = Path("demo.secrets.yaml")
    token = yaml.safe_load(path.read_text())["tokens"]["workers"]
    path.write_text(path.read_text().replace(f"workers: {token}", f"workers: {token}: {token}"))
    result = run("render", cluster)
    assert result.exit_code == 1
    assert "IG301" in result.stderr
    assert token not in result.stderr + result.stdout
