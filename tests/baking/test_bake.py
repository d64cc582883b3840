"""`imagegen bake` with a Packer that is a script: what it is told, what becomes of what it says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from imagegen.baking import read_line
from tests.support.specs import run, spec

PACKER = """#!/bin/bash
echo "$PWD $*" >> "{log}"
case $1 in
version) echo "Packer v{version}"; exit 0 ;;
validate) exit {invalid} ;;
build)
    ls > "{log}.ls"
    echo '2026-11-23T11:00:00Z: ==> imagegen.qemu.node: Waiting for SSH'
    echo "2026-11-23T11:00:01Z:     imagegen.qemu.node: the key is $ALICLOUD_SECRET_KEY"
    {build}
    echo '{{}}' > manifest.json; echo '{{}}' > report.json ;;
esac
"""
Scripted = Callable[..., Path]


@pytest.fixture
def rendered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A spec that was rendered, in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ALICLOUD_SECRET_KEY", "very-secret-key")
    path = Path("demo.yaml")
    path.write_text(yaml.safe_dump(spec()))
    run("secrets", "new", path)
    assert run("render", path).exit_code == 0
    return path


@pytest.fixture
def packer(tmp_path: Path) -> Scripted:
    """Makes a Packer of some version, which does something while it builds."""

    def make(version: str = "1.16.0", build: str = "", invalid: int = 0) -> Path:
        path = tmp_path / "packer"
        path.write_text(PACKER.format(log=tmp_path / "calls", version=version, build=build, invalid=invalid))
        path.chmod(0o755)
        return path

    return make


def calls(folder: Path) -> list[list[str]]:
    return [line.split() for line in (folder / "calls").read_text().splitlines() if not line.endswith(" version")]


FOLDER = Path("out/demo/images/demo/packer")


def test_init_validate_build(rendered: Path, packer: Scripted, tmp_path: Path) -> None:
    result = run("bake", rendered, "--packer", packer(), "--bundle", tmp_path)
    assert result.exit_code == 0, result.stderr
    inside = str(tmp_path / FOLDER)
    assert [(call[0], call[1]) for call in calls(tmp_path)] == [
        (inside, "init"),
        (inside, "validate"),
        (inside, "build"),
    ]
    build = calls(tmp_path)[-1]
    assert {"-only=imagegen.qemu.node", f"bundle_dir={tmp_path}"} <= set(build)
    assert "-machine-readable" not in build
    assert "imagegen.qemu.node: Waiting for SSH" in result.stderr
    assert "image demo: baked in" in result.stdout


def test_a_packer_named_by_a_relative_path(rendered: Path, packer: Scripted) -> None:
    assert run("bake", rendered, "--packer", f"./{packer().name}").exit_code == 0


def test_no_secret_in_the_log(rendered: Path, packer: Scripted) -> None:
    result = run("bake", rendered, "--packer", packer())
    log = FOLDER / "bake.log"
    assert "the key is ***" in log.read_text()
    assert "very-secret-key" not in log.read_text() + result.stdout + result.stderr
    assert log.stat().st_mode & 0o777 == 0o600


def test_an_older_packer_gets_a_copy_without_the_plugins_file(rendered: Path, packer: Scripted, tmp_path: Path) -> None:
    result = run("bake", rendered, "--packer", packer("1.6.6"))
    assert result.exit_code == 0, result.stderr
    assert "without `packer init` and plugins.pkr.hcl" in result.stdout
    assert [call[1] for call in calls(tmp_path)] == ["validate", "build"]
    assert f"output_dir={tmp_path / FOLDER}/output" in calls(tmp_path)[-1]
    saw = (tmp_path / "calls.ls").read_text().split()
    assert "plugins.pkr.hcl" not in saw
    assert {"build.pkr.hcl", "demo.auto.pkrvars.json", "scripts"} <= set(saw)
    assert (FOLDER / "manifest.json").exists()
    assert (FOLDER / "report.json").exists()
    assert not list(FOLDER.parent.glob(".packer-*"))


def test_what_fails_shows_its_last_words(rendered: Path, packer: Scripted) -> None:
    result = run("bake", rendered, "--packer", packer(build="echo the disk is full; exit 7"))
    assert result.exit_code == 3
    assert "the disk is full" in result.stderr
    assert f"`packer build` ended with code 7; the whole log: {FOLDER}/bake.log" in result.stderr


@pytest.mark.parametrize("version", ["1.6.6", "1.16.0"])
def test_a_failed_bake_leaves_its_own_report_and_no_earlier_one(rendered: Path, packer: Scripted, version: str) -> None:
    (FOLDER / "report.json").write_text("an earlier one")
    assert run("bake", rendered, "--packer", packer(version, build="exit 7")).exit_code == 3
    assert not (FOLDER / "report.json").exists()
    assert run("bake", rendered, "--packer", packer(version, build="echo own > report.json; exit 7")).exit_code == 3
    assert (FOLDER / "report.json").read_text() == "own\n"


def test_what_is_not_valid_is_not_built(rendered: Path, packer: Scripted, tmp_path: Path) -> None:
    assert run("bake", rendered, "--packer", packer(invalid=1)).exit_code == 3
    assert calls(tmp_path)[-1][1] == "validate"


def test_a_dry_run_runs_nothing(rendered: Path, packer: Scripted, tmp_path: Path) -> None:
    result = run("bake", rendered, "--packer", packer(), "--dry-run", "--only", "alicloud-ecs", "--var", "a=b c")
    assert result.exit_code == 0
    assert "packer build -color=false -timestamp-ui -only=imagegen.alicloud-ecs.node" in result.stdout
    assert "-var 'a=b c'" in result.stdout
    assert calls(tmp_path) == []


def test_what_was_rendered_from_another_spec_is_not_baked(rendered: Path, packer: Scripted, tmp_path: Path) -> None:
    rendered.write_text(yaml.safe_dump(spec(kubernetes={"version": "1.37.1"})))
    result = run("bake", rendered, "--packer", packer())
    assert result.exit_code == 1
    assert "run `imagegen render` first" in result.stderr
    assert calls(tmp_path) == []


def test_a_label_changes_no_image(rendered: Path, packer: Scripted) -> None:
    rendered.write_text(yaml.safe_dump(spec(nodePools=[{"name": "workers", "labels": {"a": "b"}}])))
    assert run("bake", rendered, "--packer", packer()).exit_code == 0


@pytest.mark.parametrize("program", ["/nowhere/packer", "/bin/true"])
def test_no_packer(rendered: Path, program: str) -> None:
    result = run("bake", rendered, "--packer", program)
    assert result.exit_code == 3
    assert program in result.stderr


def test_wrong_arguments(rendered: Path, packer: Scripted) -> None:
    assert run("bake", rendered, "--packer", packer(), "--var", "a").exit_code == 2
    assert run("bake", rendered, "--packer", packer(), "--image", "gpu").exit_code == 1
    unknown = run("bake", rendered, "--packer", packer(), "--only", "kvm")
    assert unknown.exit_code == 2
    assert "no builder `kvm`; known: qemu, alicloud-ecs" in unknown.stderr.replace("\n", " ")


def test_a_provider_without_a_builder(rendered: Path, packer: Scripted, tmp_path: Path) -> None:
    rendered.write_text(yaml.safe_dump(spec(provider={"type": "aws", "region": "eu-central-1"})))
    assert run("render", rendered).exit_code == 0
    result = run("bake", rendered, "--packer", packer())
    assert result.exit_code == 1
    assert "no builder for images of `aws` yet; `--only` names one of these: qemu, alicloud-ecs" in result.stderr
    assert not (tmp_path / "calls").exists()
    assert run("bake", rendered, "--packer", packer(), "--only", "qemu").exit_code == 0


def test_nothing_is_baked_where_one_image_was_not_rendered(rendered: Path, packer: Scripted, tmp_path: Path) -> None:
    gpu = {"apiVersion": "imagegen/v1alpha1", "kind": "Image", "metadata": {"name": "gpu"}, "os": "debian-12"}
    with_gpu = spec(nodePools=[{"name": "workers", "imageRef": "gpu"}])
    rendered.write_text(yaml.safe_dump_all([with_gpu, gpu | {"kubernetes": {"version": "1.37.2"}}]))
    assert "images/gpu" in run("bake", rendered, "--packer", packer()).stderr
    assert calls(tmp_path) == []


def test_ctrl_c_lets_packer_clean_up(rendered: Path, packer: Scripted, tmp_path: Path) -> None:
    clean = f"kill $!; sleep 1; echo cleaned > {tmp_path}/cleaned; exit 1"
    wait = f"trap '{clean}' INT; touch {tmp_path}/began; sleep 60 & wait"
    command = [sys.executable, "-m", "imagegen", "bake", str(rendered), "--packer", str(packer(build=wait))]
    process = subprocess.Popen(command, env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (tmp_path / "began").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (tmp_path / "cleaned").exists()
    assert process.returncode == 130
    assert "Traceback" not in said


def test_lines() -> None:
    line = read_line("2026-11-23T11:00:00Z: ==> imagegen.alicloud-ecs.node: Creating image")
    assert line is not None
    assert (line.builder, line.text, line.phase) == ("imagegen.alicloud-ecs.node", "Creating image", True)
    output = read_line("    imagegen.qemu.node: Reading package lists...")
    assert output is not None
    assert not output.phase
    assert read_line("Build 'imagegen.qemu.node' finished.") is None
