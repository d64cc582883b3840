"""What a change to a spec means."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.specs import run, spec


@pytest.fixture
def rendered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A spec that was rendered."""
    monkeypatch.chdir(tmp_path)
    path = Path("demo.yaml")
    path.write_text(yaml.safe_dump(spec()))
    run("secrets", "new", path)
    assert run("render", path).exit_code == 0
    return path


def test_nothing(rendered: Path) -> None:
    result = run("diff", rendered)
    assert result.exit_code == 0
    assert "It means nothing" in result.stdout


@pytest.mark.parametrize(
    ("change", "images", "user_data"),
    [
        pytest.param({"nodePools": [{"name": "workers", "labels": {"a": "b"}}]}, False, True, id="label"),
        pytest.param({"network": {"cni": "none"}}, True, True, id="cni"),
        pytest.param({"image": {"os": "debian-12", "name": "node"}}, True, True, id="another image"),
        pytest.param({"admin": {"sshAuthorizedKeys": ["ssh-ed25519 AAAA me"]}}, False, True, id="admin"),
    ],
)
def test_meaning(change: dict[str, Any], images: bool, user_data: bool, rendered: Path) -> None:
    rendered.write_text(yaml.safe_dump(spec(**change)))
    result = run("diff", rendered, "--format", "json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert (bool(found["images"]), bool(found["userData"])) == (images, user_data)


def test_secrets_are_masked(rendered: Path) -> None:
    shutil.copytree("out/demo", "before")
    old = yaml.safe_load(Path("demo.secrets.yaml").read_text())
    Path("demo.secrets.yaml").unlink()
    run("secrets", "new", rendered)
    new = yaml.safe_load(Path("demo.secrets.yaml").read_text())
    assert run("render", rendered).exit_code == 0
    result = run("diff", "before", "out/demo")
    assert result.exit_code == 1
    assert "new user-data" in result.stdout
    for bundle in (old, new):
        assert bundle["tokens"]["workers"] not in result.stdout
        assert bundle["clusterCA"]["key"].splitlines()[1] not in result.stdout


def test_a_folder_of_somebody_else_s(rendered: Path, tmp_path: Path) -> None:
    result = run("diff", tmp_path, "out/demo")
    assert result.exit_code == 1
    assert "not a folder that imagegen made" in result.stderr
    assert rendered.exists()
