"""Every check passes on a machine that is as declared, and fails on one that is not."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from baked import checks, report

PINNED = 'images list --quiet labels."io.cri-containerd.pinned"==pinned'
SAID = {
    "dpkg-query --show --showformat=${db:Status-Abbrev} ${Package}\n": "ii  runc\nrc  chrony\nhi  kubelet\n",
    "apt-mark showhold": "kubelet\n",
    "rpm --query --all --queryformat=%{NAME}\n": "kubelet\nkernel\n",
    "getenforce": "Permissive\n",
    "stat --file-system --format=%T /sys/fs/cgroup": "tmpfs\n",
    "grubby --info=ALL": 'args="ro systemd.unified_cgroup_hierarchy=1"\nargs="ro"\n',
    "systemctl list-unit-files --no-legend --plain kubelet.service": "kubelet.service enabled enabled\n",
    "systemctl list-unit-files --no-legend --plain apt-daily.timer": "apt-daily.timer disabled enabled\n",
    "systemctl is-active kubelet.service": "inactive\n",
    "containerd config dump": "  sandbox = 'pause:1'\n   SystemdCgroup = false\n",
    "ctr --namespace=k8s.io images list --quiet": "pause:1\nloose:1\npacked:1\n",
    f"ctr --namespace=k8s.io {PINNED}": "pause:1\npacked:1\n",
    "ctr --namespace=k8s.io images check": (
        "REF TYPE DIGEST STATUS SIZE UNPACKED\n"
        "pause:1 t d incomplete (1/2) 1 B/2 B true\n"
        "loose:1 t d complete (2/2) 2 B/2 B true\n"
        "packed:1 t d complete (2/2) 2 B/2 B false\n"
    ),
}


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_output", lambda *command: SAID.get(" ".join(command), ""))


def nothing(family: str = "apt") -> dict[str, Any]:
    lists: dict[str, Any] = {"packages": [], "holds": [], "modules": [], "images": []}
    return {kind: {} for kind in checks._KINDS} | lists | {"family": family}  # noqa: SLF001


def one(kind: str, name: str, wanted: Any = None, family: str = "apt") -> report.Check:
    declared = nothing(family)
    declared[kind] = [name] if wanted is None else {name: wanted}
    (check,) = checks.run(declared)
    return check


@pytest.mark.parametrize(
    ("kind", "name", "wanted", "found"),
    [
        ("modules", "no_such_module", None, "not loaded"),
        ("sysctls", "kernel.ostype", "Plan9", "Linux"),
        ("sysctls", "kernel.no_such_key", "1", "absent"),
        ("packages", "chrony", None, "absent"),
        ("holds", "runc", None, "absent"),
        ("units", "apt-daily.timer", "masked", "disabled"),
        ("units", "nothing.service", "enabled", "absent"),
        ("binaries", "/nowhere/kubelet", "1.37.2", "absent"),
        ("files", "/nowhere", {"mode": "0644"}, "absent"),
        ("settings", "kubelet", "active", "inactive"),
        ("settings", "cgroups", "v2", "v1"),
        ("settings", "chrony-folders", "read", "not read"),
        ("settings", "containerd-cgroups", "systemd", "cgroupfs"),
        ("settings", "containerd-sandbox", "pause:2", "pause:1"),
        ("images", "missing:1", None, "absent"),
        ("images", "loose:1", None, "not pinned"),
        ("images", "packed:1", None, "not unpacked"),
    ],
)
def test_check_fails(kind: str, name: str, wanted: Any, found: str) -> None:
    check = one(kind, name, wanted)
    assert (check.passed, check.found) == (False, found)


@pytest.mark.parametrize(
    ("kind", "name", "wanted"),
    [
        ("sysctls", "kernel.ostype", "Linux"),
        ("packages", "runc", None),
        ("packages", "kubelet", None),
        ("holds", "kubelet", None),
        ("units", "kubelet.service", "enabled"),
        ("binaries", "/bin/sh", ""),
        ("images", "pause:1", None),
        ("settings", "kubelet", "inactive"),
        ("settings", "containerd-sandbox", "pause:1"),
    ],
)
def test_check_passes(kind: str, name: str, wanted: str | None) -> None:
    assert one(kind, name, wanted).passed


LOCKS = "# Added lock on Wed\nkubelet-0:1.37.2-150500.1.1.*\nkubernetes-cni-0:1.7.1-1.*\n!kubectl-0:1.0-1.*\n"


@pytest.mark.parametrize(
    ("kind", "name", "passed"),
    [
        ("packages", "kernel", True),
        ("packages", "runc", False),
        ("holds", "kubelet", True),
        ("holds", "kubernetes-cni", True),
        ("holds", "kubernetes", False),
        ("holds", "kubectl", False),
    ],
)
def test_packages_of_rpm(monkeypatch: pytest.MonkeyPatch, kind: str, name: str, passed: bool) -> None:
    monkeypatch.setattr(checks, "_read", lambda path: LOCKS if path.name == "versionlock.list" else "")
    assert one(kind, name, family="dnf").passed is passed


@pytest.mark.parametrize(
    ("running", "configured", "found"),
    [
        ("Permissive", "permissive", "not enforcing"),
        ("Disabled", "disabled", "not enforcing"),
        ("Enforcing", "permissive", "enforcing"),
        ("Permissive", "enforcing", "enforcing"),
    ],
)
def test_selinux_now_and_at_boot(monkeypatch: pytest.MonkeyPatch, running: str, configured: str, found: str) -> None:
    monkeypatch.setattr(checks, "_output", lambda *_: f"{running}\n")
    monkeypatch.setattr(checks, "_read", lambda _: f"# SELINUX=disabled is gone\nSELINUX={configured}\n")
    assert one("settings", "selinux", "not enforcing").found == found


@pytest.mark.parametrize(
    ("said", "passed"),
    [
        ("v1.37.2\n", True),
        ("Kubernetes v1.37.2", True),
        ("containerd v1.37.2-5", True),
        ("v1.37.20", False),
        ("v11.37.2", False),
        ("v1.37.2.1", False),
        ("exec format error", False),
    ],
)
def test_binary_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, passed: bool) -> None:
    binary = tmp_path / "kubelet"
    binary.touch()
    monkeypatch.setattr(checks, "_output", lambda *_: said)
    assert one("binaries", str(binary), "1.37.2").passed is passed


def test_binary_that_is_not_executable(tmp_path: Path) -> None:
    binary = tmp_path / "bridge"
    binary.touch(0o644)
    assert one("binaries", str(binary), "").found == "not executable"


def test_mode_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.touch()
    file.chmod(0o600)
    owner = "root" if os.geteuid() == 0 else str(os.geteuid())
    assert one("files", str(file), {"mode": "0644"}).found == f"0600 of {owner}"


def test_content_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("as declared\n")
    file.chmod(0o644)
    wanted = {"mode": "0644", "sha256": sha256(b"as declared\n").hexdigest()}
    declared = nothing() | {"files": {str(file): wanted}}
    assert [check.passed for check in checks.run(declared) if check.kind == "content"] == [True]
    file.write_text("changed\n")
    assert [check.passed for check in checks.run(declared) if check.kind == "content"] == [False]


def test_report_lists_what_failed(tmp_path: Path) -> None:
    path = tmp_path / "made" / "report.json"
    good = report.Check("unit", "a.service", "enabled", "enabled", passed=True)
    bad = report.Check("module", "ip_vs", "loaded", "not loaded", passed=False)
    report.write(path, [good, bad])
    written = json.loads(path.read_text())
    assert written["passed"] is False
    assert report.failures(written) == ["module ip_vs: wanted loaded, found not loaded"]


def test_report_of_nothing_is_no_success(tmp_path: Path) -> None:
    report.write(tmp_path / "report.json", [])
    written = json.loads((tmp_path / "report.json").read_text())
    assert written["passed"] is False
    assert report.failures(written)
