"""A bake without Packer: what it takes from the emitted folder, and what it says that it leaves out."""

import json
from pathlib import Path

import pytest
import yaml

from tests.support.specs import render, spec
from tools import bake_local, nspawn_bake

FOLDER = "images/demo/packer/"


@pytest.fixture
def packer(tmp_path: Path) -> Path:
    folder = tmp_path / "packer"
    for path, file in render(spec()).tree:
        if path.startswith(FOLDER):
            target = folder / path.removeprefix(FOLDER)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.content)
    return folder


def test_everything_but_the_kernel_s_own_is_checked(packer: Path, tmp_path: Path) -> None:
    nspawn_bake.upload(packer, tmp_path / "root")
    uploaded = json.loads((tmp_path / "root" / nspawn_bake.WORK / "declared.json").read_text())
    declared = json.loads((packer / "declared.json").read_text())
    assert declared["modules"]
    assert uploaded == declared | {"modules": []}


def test_the_scripts_and_files_are_the_emitted_ones(packer: Path, tmp_path: Path) -> None:
    nspawn_bake.upload(packer, tmp_path / "root")
    work = tmp_path / "root" / nspawn_bake.WORK
    for name in ("scripts", "files", "verify", "hooks"):
        emitted = {path.relative_to(packer): path.read_bytes() for path in (packer / name).rglob("*") if path.is_file()}
        assert {
            path.relative_to(work): path.read_bytes() for path in (work / name).rglob("*") if path.is_file()
        } == emitted


def test_it_says_which_modules_it_leaves_out(packer: Path) -> None:
    declared = json.loads((packer / "declared.json").read_text())
    said = "\n".join(bake_local.left_out(declared))
    assert all(module in said for module in declared["modules"])


def test_an_image_of_packages_is_baked_from_the_bundle(tmp_path: Path) -> None:
    given = tmp_path / "cluster.yaml"
    given.write_text(yaml.safe_dump(spec()))
    assert yaml.safe_load(bake_local.offline(given, tmp_path).read_text())["image"]["source"] == "bundle"
    given.write_text(yaml.safe_dump(spec(image={"os": "debian-12", "bundle": {}})))
    assert bake_local.offline(given, tmp_path) == given


def test_a_system_without_a_base_is_refused(packer: Path) -> None:
    file = next(packer.glob("*.auto.pkrvars.json"))
    file.write_text(json.dumps(json.loads(file.read_text()) | {"os": "ubuntu-24.04"}))
    with pytest.raises(SystemExit, match=r"ubuntu-24\.04 cannot be baked here"):
        bake_local.suite_of(packer)


def test_a_failed_check_is_shown_with_what_was_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checks = [
        {"kind": "unit", "name": "a.service", "passed": False},
        {"kind": "unit", "name": "b.service", "passed": True},
    ]
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"checks": checks}))
    assert bake_local.judge(report, "verify: unit a.service: wanted enabled, found disabled") == 1
    said = capsys.readouterr()
    assert "checks: 2, failed: 1" in said.out
    assert "wanted enabled, found disabled" in said.err
