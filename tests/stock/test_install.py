"""The install runs the scripts until the machine is as declared, and then lets first boot begin."""

from __future__ import annotations

import hashlib
import json
import platform
from pathlib import Path
from typing import Any

import pytest
from bootstrap.engine import BETWEEN_TRIES
from bootstrap.paths import Paths
from installing import machine as site
from installing.program import run

from tests.firstboot.machine import MadeUpClock, TimeIsUp

ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
STAMP = {"fingerprint": "f" * 64, "os": "debian-12", "architecture": ARCHITECTURE}
FILE = "/etc/sysctl.d/90-imagegen.conf"
OTHER = "/etc/chrony/sources.d/imagegen.sources"


class Machine:
    """A machine whose loader has unpacked everything; its scripts write down that they were run."""

    def __init__(self, root: Path) -> None:
        self.root, self.paths, self.clock = root, Paths(root / "root"), MadeUpClock()
        self.work, self.calls = root / "work", root / "calls"
        self.write("/etc/os-release", 'NAME="Debian"\nID=debian\nVERSION_ID="12"\n')
        self.write("/etc/imagegen/node.json", '{"contract": 2, "role": "worker"}')
        self.write("/dev/console", "")
        self.write("/var/lib/imagegen/stock/stock.json", json.dumps({"keep": [OTHER]}))
        self.pack(f"files/{site.STAMP}", json.dumps(STAMP))
        self.pack(f"files{FILE}", "a = 1\n")
        self.pack(f"files{OTHER}", "server ours\n")
        declared = {path: {"mode": "0644", "sha256": ""} for path in (FILE, OTHER)}
        declared["/etc/imagegen/image.json"] = {"mode": "0644"}
        self.pack("declared.json", json.dumps({"modules": [], "files": declared}))
        for name in ("10-first", "30-second", "85-require-verified"):
            self.script(name)
        (root / "bin").mkdir()
        systemctl = root / "bin/systemctl"
        systemctl.write_text(f'#!/bin/sh\necho "systemctl $*" >>{self.calls}\n')
        systemctl.chmod(0o755)

    def write(self, path: str, text: str) -> None:
        target = self.paths.at(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def pack(self, path: str, text: str) -> None:
        (self.work / path).parent.mkdir(parents=True, exist_ok=True)
        (self.work / path).write_text(text)

    def script(self, name: str, body: str = "") -> None:
        self.pack(f"scripts/{name}.sh", f"echo {name} >>{self.calls}\n{body}\n")

    def boot(self) -> int:
        return run(self.paths, self.clock, self.work)

    @property
    def called(self) -> list[str]:
        return self.calls.read_text().splitlines() if self.calls.exists() else []

    @property
    def console(self) -> list[str]:
        return self.paths.console.read_text().splitlines()

    @property
    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = json.loads(self.paths.status.read_text())
        return status


STARTED = ["systemctl daemon-reload", "systemctl start --no-block imagegen-bootstrap.service"]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    return machine


def test_one_script_after_the_other_and_then_first_boot(machine: Machine) -> None:
    machine.write("/var/lib/imagegen-build/report.json", "{}")
    assert machine.boot() == 0
    assert machine.called == ["10-first", "30-second", "85-require-verified", *STARTED]
    assert machine.console == [
        "imagegen: phase=install step=check-machine status=ok seconds=0.0",
        "imagegen: phase=install step=10-first status=ok seconds=0.0",
        "imagegen: phase=install step=30-second status=ok seconds=0.0",
        "imagegen: phase=install step=85-require-verified status=ok seconds=0.0",
    ]
    assert (machine.status["contract"], machine.status["role"]) == (2, "worker")
    assert [entry["name"] for entry in machine.status["phases"]][1:3] == ["install/10-first", "install/30-second"]


def test_nothing_is_left_but_the_marker_and_the_evidence(machine: Machine) -> None:
    machine.write("/var/lib/imagegen-build/report.json", '{"passed": true}')
    machine.boot()
    assert not machine.work.exists()
    assert sorted(path.name for path in machine.paths.home.iterdir()) == ["installed", "status.json"]
    assert not machine.paths.at("/var/lib/imagegen-build").exists()
    assert (machine.paths.logs / "install-report.json").read_text() == '{"passed": true}'
    assert (machine.paths.logs / "install-report.json").stat().st_mode & 0o777 == 0o600


def test_a_script_that_fails_is_told_and_all_of_it_run_again(machine: Machine) -> None:
    machine.script("30-second", f"echo no such package >&2; test $(grep -c 30-second {machine.calls}) -gt 2")
    assert machine.boot() == 0
    assert machine.called == 3 * ["10-first", "30-second"] + ["85-require-verified", *STARTED]
    retries = [line for line in machine.console if "status=retry" in line]
    assert [line.partition(" seconds")[0] for line in retries] == 2 * [
        "imagegen: phase=install step=30-second status=retry"
    ]
    assert all("reason=install-failed" in line and "no such package; again in" in line for line in retries)
    assert machine.clock.passed == BETWEEN_TRIES.delay(0) + BETWEEN_TRIES.delay(1)


def test_a_red_check_is_told_and_first_boot_does_not_begin(machine: Machine) -> None:
    machine.script("85-require-verified", "echo 'verify: package jq: wanted installed, found absent' >&2; exit 1")
    with pytest.raises(TimeIsUp):
        machine.boot()
    assert (machine.status["status"], machine.status["reason"]) == ("waiting", "verify-failed")
    assert "package jq: wanted installed, found absent" in machine.status["message"]
    assert machine.called[:4] == ["10-first", "30-second", "85-require-verified", "10-first"]
    assert not set(STARTED) & set(machine.called)
    assert not (machine.paths.home / "installed").exists()


@pytest.mark.parametrize(
    ("release", "said"),
    [
        ('ID=debian\nVERSION_ID="13"\n', "this machine is debian-13, and its user-data installs debian-12"),
        ("ID=ubuntu\nVERSION_ID='12'\n", "this machine is ubuntu-12"),
        ("ID=debian\n", "this machine is debian-,"),
    ],
)
def test_another_system_is_final(machine: Machine, release: str, said: str) -> None:
    machine.write("/etc/os-release", release)
    assert machine.boot() == 78
    assert machine.called == []
    (line,) = machine.console
    assert "status=failed" in line
    assert "reason=machine-mismatch" in line
    assert said in line


def test_another_architecture_is_final(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert machine.boot() == 78
    assert f"this machine is riscv64, and its user-data installs {ARCHITECTURE}" in machine.console[0]


def test_a_minor_release_is_the_same_system(machine: Machine) -> None:
    machine.write("/etc/os-release", 'ID="debian"\nVERSION_ID="12.11"\n')
    assert machine.boot() == 0


@pytest.mark.parametrize(
    ("found", "skipped"),
    [
        ({"fingerprint": "f" * 64, "builtBy": {"builder": "qemu"}}, True),
        # Our own stamp is written in the middle of an install, which may have been cut off.
        ({"fingerprint": "f" * 64, "builtBy": {"builder": "stock"}}, False),
        ({"fingerprint": "f" * 64}, False),
        ({"fingerprint": "0" * 64, "builtBy": {"builder": "qemu"}}, False),
    ],
    ids=["baked", "half done", "no builder", "another"],
)
def test_an_image_that_holds_it_all(machine: Machine, found: dict[str, Any], skipped: bool) -> None:
    machine.write("/etc/imagegen/image.json", json.dumps(found))
    assert machine.boot() == 0
    assert (machine.called == STARTED) is skipped
    assert ("reason=baked-already" in machine.console[0]) is skipped


def test_files_of_user_data_are_left_alone_and_the_rest_is_declared_as_it_lies_here(machine: Machine) -> None:
    machine.script("85-require-verified", f"cp {machine.work}/declared.json {machine.root}/declared.json")
    machine.script("30-second", f"ls {machine.work}/files/etc/chrony/sources.d >{machine.root}/listing")
    machine.boot()
    assert (machine.root / "listing").read_text() == ""
    assert json.loads((machine.root / "declared.json").read_text())["files"] == {
        FILE: {"mode": "0644", "sha256": hashlib.sha256(b"a = 1\n").hexdigest()},
        "/etc/imagegen/image.json": {"mode": "0644"},
    }


def test_scripts_are_told_who_builds_and_that_files_of_user_data_win(machine: Machine) -> None:
    machine.script("10-first", f'echo "$PACKER_BUILDER_TYPE $DPKG_FORCE" >{machine.root}/told')
    machine.boot()
    assert (machine.root / "told").read_text() == "stock confdef,confold\n"
