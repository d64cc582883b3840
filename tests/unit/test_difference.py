"""What accounts for a difference between two disks, and what does not."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster import difference
from tests.cluster.explained import Explanation, Judgement, judge, load

DECLARED = {
    "modules": ["overlay"],
    "sysctls": {"vm.swappiness": "0", "net.ports": "1 2"},
    "packages": ["chrony"],
    "binaries": {"/usr/bin/kubelet": "1.37.2"},
    "units": {"kubelet.service": "enabled", "apt-daily.timer": "masked"},
    "files": {
        "/etc/modules-load.d/imagegen.conf": {},
        "/etc/sysctl.d/90-imagegen.conf": {},
        "/etc/systemd/system/kubelet.service": {},
    },
}
STANZA = "Package: {}\nStatus: install ok installed\nVersion: {}\nDepends: {}\n\n"
UNITS = "etc/systemd/system"


def _write(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)


@pytest.fixture
def disks(tmp_path: Path) -> tuple[Path, Path]:
    """A base, and a disk on which everything is as declared."""
    base, baked = tmp_path / "base", tmp_path / "baked"
    timesync = STANZA.format("timesyncd", "1", "")
    status = "var/lib/dpkg/status"
    _write(base, {status: STANZA.format("libc6", "2", "") + timesync, "etc/fstab": "", "usr/lib/timesyncd": "old"})
    _write(
        base, {"var/lib/dpkg/info/timesyncd.list": "/lib/timesyncd\n", "etc/sysctl.d/own.conf": "# a\nkernel.x = 1\n"}
    )
    shutil.copytree(base, baked)
    new = STANZA.format("chrony", "4", "libc6 (>= 2), libcap2 | other") + STANZA.format("libcap2", "1", "")
    _write(baked, {status: STANZA.format("libc6", "2", "") + new, "usr/sbin/chronyd": "", "usr/bin/kubelet": ""})
    _write(baked, {"var/lib/dpkg/info/chrony.list": "/sbin/chronyd\n/lib/systemd/system/chrony.service\n"})
    _write(baked, {"var/lib/dpkg/info/libcap2:amd64.list": "/lib/libcap.so\n", "usr/lib/libcap.so": ""})
    _write(baked, {"etc/modules-load.d/imagegen.conf": "overlay\n", f"{UNITS}/kubelet.service": "[Unit]\n"})
    _write(baked, {"etc/sysctl.d/90-imagegen.conf": "net.ports = 1 2\nvm.swappiness=0\n"})
    _write(baked, {"usr/lib/systemd/system/chrony.service": "[Unit]\n", f"{UNITS}/multi-user.target.wants/.keep": ""})
    (baked / f"{UNITS}/multi-user.target.wants/.keep").unlink()
    (baked / f"{UNITS}/multi-user.target.wants/kubelet.service").symlink_to("/etc/systemd/system/kubelet.service")
    (baked / f"{UNITS}/multi-user.target.wants/chrony.service").symlink_to("/lib/systemd/system/chrony.service")
    (baked / f"{UNITS}/apt-daily.timer").symlink_to("/dev/null")
    (baked / "usr/lib/timesyncd").unlink()
    (baked / "var/lib/dpkg/info/timesyncd.list").unlink()
    return base, baked


def _read(disks: tuple[Path, Path], folder: Path) -> difference.Difference:
    declared = folder / "declared.json"
    declared.write_text(json.dumps(DECLARED))
    return difference.read(*disks, declared)


def test_what_is_declared_accounts_for_everything(disks: tuple[Path, Path], tmp_path: Path) -> None:
    found = _read(disks, tmp_path)
    # dpkg's list of packages, and the folder that systemctl made.
    assert found.untraced() == {"/var/lib/dpkg/status", f"/{UNITS}/multi-user.target.wants"}
    assert found.undeclared_packages() == set()
    assert found.undeclared_lines() == set()
    assert found.packages_gone == {"timesyncd"}


def _link(path: str, target: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        (root / path).symlink_to(target)

    return change


UNTRACED: dict[str, Callable[[Path], object]] = {
    "/etc/extra": lambda root: (root / "etc/extra").write_text("left by a script"),
    "/etc/fstab": lambda root: (root / "etc/fstab").write_text("changed"),
    "/opt": lambda root: (root / "opt").mkdir(),
    f"/{UNITS}/ssh.service": _link(f"{UNITS}/ssh.service", "/dev/null"),
    f"/{UNITS}/own.service": _link(f"{UNITS}/own.service", "/opt/own.service"),
}


@pytest.mark.parametrize("path", UNTRACED)
def test_anything_else_is_untraced(disks: tuple[Path, Path], tmp_path: Path, path: str) -> None:
    before = _read(disks, tmp_path).untraced()
    UNTRACED[path](disks[1])
    assert _read(disks, tmp_path).untraced() - before == {path}


def test_a_package_that_nothing_declared_needs(disks: tuple[Path, Path], tmp_path: Path) -> None:
    with (disks[1] / "var/lib/dpkg/status").open("a") as status:
        status.write(STANZA.format("tmux", "3", ""))
    assert _read(disks, tmp_path).undeclared_packages() == {"tmux"}


def test_a_package_that_changed(disks: tuple[Path, Path], tmp_path: Path) -> None:
    status = disks[1] / "var/lib/dpkg/status"
    status.write_text(
        status.read_text().replace(
            "Package: libc6\nStatus: install ok installed\nVersion: 2",
            "Package: libc6\nStatus: install ok installed\nVersion: 3",
        )
    )
    assert _read(disks, tmp_path).undeclared_packages() == {"libc6"}


@pytest.mark.parametrize(
    ("path", "content", "line"),
    [
        ("etc/modules-load.d/more.conf", "ip_vs\n", "ip_vs"),
        ("usr/lib/sysctl.d/more.conf", "vm.x = 3\n", "vm.x=3"),
        ("etc/sysctl.d/own.conf", "", "kernel.x=1"),
        ("etc/modules-load.d/imagegen.conf", "", "overlay"),
    ],
)
def test_a_line_that_nobody_declared(
    disks: tuple[Path, Path], tmp_path: Path, path: str, content: str, line: str
) -> None:
    _write(disks[1], {path: content})
    assert _read(disks, tmp_path).undeclared_lines() == {line}


def test_patterns_stay_in_their_folder_unless_they_say_so() -> None:
    near, far = (Explanation(path=path, reason="") for path in ("/var/*.log", "/var/**.log"))
    assert [near.matches("/var/a.log"), near.matches("/var/log/a.log"), far.matches("/var/log/a.log")] == [
        True,
        False,
        True,
    ]


def test_an_explanation_of_nothing_is_stale_unless_it_may_be() -> None:
    listed = tuple(Explanation(path=path, reason="", sometimes=path == "/c") for path in ("/a", "/b", "/c"))
    assert judge(["/a", "/x"], listed) == Judgement(unexplained=("/x",), stale=("/b",))


def test_explanations_of_another_builder_are_none(tmp_path: Path) -> None:
    file = tmp_path / "list.toml"
    file.write_text('[[file]]\npath = "/a"\nreason = "b"\n\n[[file]]\npath = "/c"\nreason = "d"\nbuilders = ["qemu"]\n')
    assert [each.path for each in load(file, "file", "nspawn")] == ["/a"]
    assert [each.path for each in load(file, "file", "qemu")] == ["/a", "/c"]
