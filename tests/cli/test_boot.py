"""What must be so before `imagegen boot` starts anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.specs import run, spec

SECRET_FILES = ("user-data", "meta-data", "network-config")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a rendered spec, and nothing baked."""
    monkeypatch.chdir(tmp_path)
    Path("fine.yaml").write_text(yaml.safe_dump(spec()))
    assert run("secrets", "new", "fine.yaml").exit_code == 0
    assert run("render", "fine.yaml").exit_code == 0
    return tmp_path


def baked(folder: Path, fingerprint: str) -> None:
    """What Packer leaves of a bake."""
    (folder / "output").mkdir(parents=True)
    (folder / "output/demo.qcow2").touch()
    build: dict[str, Any] = {"builder_type": "qemu", "files": [{"name": "demo.qcow2"}]}
    build["custom_data"] = {"fingerprint": fingerprint}
    (folder / "manifest.json").write_text(json.dumps({"builds": [build]}))


def fingerprint() -> str:
    described: dict[str, Any] = json.loads(run("fingerprint", "fine.yaml", "--format", "json").stdout)
    return str(described["demo"]["fingerprint"])


def test_the_disk_of_a_bake_is_found(place: Path) -> None:
    baked(place / "out/demo/images/demo/packer", fingerprint())
    result = run("boot", "fine.yaml", "--dry-run")
    assert result.exit_code == 0, result.output
    assert "out/demo/images/demo/packer/output/demo.qcow2" in result.stdout
    assert not (place / "out/demo.boot").exists()


@pytest.mark.parametrize("named", [False, True])
def test_a_disk_of_something_else_is_refused(place: Path, named: bool) -> None:
    folder = place / ("elsewhere" if named else "out/demo/images/demo/packer")
    baked(folder, "f" * 64)
    options = (f"--image={folder / 'output/demo.qcow2'}",) if named else ()
    result = run("boot", "fine.yaml", "--dry-run", *options)
    assert result.exit_code == 1
    assert "demo.qcow2: baked with the fingerprint ffffffffffff, and the spec asks for" in result.stderr


@pytest.mark.parametrize("name", SECRET_FILES)
def test_a_seed_that_is_not_the_rendered_one_is_refused(place: Path, name: str) -> None:
    seed = place / "out/demo/nocloud/worker1" / name
    seed.write_text(seed.read_text() + "\n")
    result = run("boot", "fine.yaml", "--dry-run", "--image", "fine.yaml")
    assert result.exit_code == 1
    assert f"worker1/{name}: not what the spec and its secrets ask for: run `imagegen render` first" in result.stderr


@pytest.mark.usefixtures("place")
def test_secrets_that_were_made_anew_are_not_mixed_with_old_seeds() -> None:
    Path("demo.secrets.yaml").unlink()
    assert run("secrets", "new", "fine.yaml").exit_code == 0
    assert "run `imagegen render` first" in run("boot", "fine.yaml", "--dry-run", "--image", "fine.yaml").stderr


@pytest.mark.usefixtures("place")
def test_nspawn_says_that_it_needs_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    result = run("boot", "fine.yaml", "--ground", "nspawn", "--image", "fine.yaml")
    assert result.exit_code == 3
    assert "need Linux and root: run it by `sudo`, or take `--ground qemu`" in result.stderr


@pytest.mark.usefixtures("place")
def test_an_absent_disk_is_said() -> None:
    result = run("boot", "fine.yaml", "--image", "absent.qcow2")
    assert (result.exit_code, result.stderr) == (
        1,
        "absent.qcow2: there is no such disk: `--image` names what was baked\n",
    )
