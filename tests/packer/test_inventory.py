"""The inventory of a machine: what its package databases, programs and runtime say, and nothing that they do not."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from baked import inventory

from imagegen.inventory import read_inventory

DPKG = """\
ii |runc|1.1.5+ds1-1|amd64|runc|1.1.5+ds1-1
ii |libc6|2.36-9|amd64|glibc|2.36-9
hi |kubelet|1.37.2-1.1|amd64|kubelet|1.37.2-1.1
rc |gone|1|amd64|gone|1
"""
RPM = """\
bash|0:5.1.8-9.el9|x86_64|bash-5.1.8-9.el9.src.rpm|
bind-libs|32:9.16-1.el9|x86_64|bind-9.16-1.el9.src.rpm|
gpg-pubkey|0:a-b|(none)|(none)|
"""
CTR = """\
REF TYPE DIGEST SIZE PLATFORMS LABELS
registry.k8s.io/pause:3.10.2 application/json sha256:aa 1.0 MiB linux/amd64 io.cri-containerd.image=managed
sha256:aa application/json sha256:aa 1.0 MiB linux/amd64 io.cri-containerd.image=managed
"""
STAMP = {
    "contract": 2,
    "name": "node",
    "fingerprint": "f" * 64,
    "kubernetes": "1.37.2",
    "os": "debian-12",
    "architecture": "amd64",
    "builtBy": {"builder": "qemu", "at": "2026-11-25T23:00:00Z", "bundle": "0" * 64},
}


class Machine:
    """A root folder, and programs that answer for the real ones."""

    def __init__(self, top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.bundle, self._path = top / "root", top / "bundle", top / "path"
        self._path.mkdir()
        monkeypatch.setenv("PATH", str(self._path))
        self.write("etc/imagegen/image.json", json.dumps(STAMP))
        self.write("etc/os-release", 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nVERSION_ID="12"\n')
        self.write("lib/modules/6.1.0-30/modules.builtin", "")
        self.write("lib/modules/leftover/modules.dep", "")

    def write(self, name: str, content: str, mode: int = 0o755) -> str:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        path.chmod(mode)
        return hashlib.sha256(content.encode()).hexdigest()

    def answers(self, program: str, text: str) -> None:
        path = self._path / program
        path.write_text(f"#!/bin/sh\n/bin/cat <<'END'\n{text}END\n")
        path.chmod(0o755)

    def bundles(self, **versions: str) -> None:
        """What the bundle had of each name: that word, in a version."""
        (self.bundle / "bin").mkdir(parents=True)
        files = []
        for name, version in versions.items():
            (self.bundle / "bin" / name).write_text(name)
            sha256 = hashlib.sha256(name.encode()).hexdigest()
            files.append({"path": f"bin/{name}", "sha256": sha256, "version": version})
        (self.bundle / "bundle.json").write_text(json.dumps({"files": files}))

    def taken(self, **declared: str) -> Any:
        names = {f"/{name.replace('__', '/')}": version for name, version in declared.items()}
        return inventory.take(self.root, {"binaries": names}, self.bundle)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_the_system_and_its_kernels(machine: Machine) -> None:
    taken = machine.taken()
    assert taken["system"] == {"id": "debian", "version": "12", "name": "Debian GNU/Linux 12 (bookworm)"}
    assert taken["kernels"] == ["6.1.0-30"]
    assert taken["image"] == STAMP
    assert (taken["packages"], taken["binaries"], taken["images"]) == ([], [], [])


def test_debian_packages(machine: Machine) -> None:
    machine.answers("dpkg-query", DPKG)
    packages = machine.taken()["packages"]
    found = [(package["name"], package["source"]) for package in packages]
    assert found == [("kubelet", "kubelet"), ("libc6", "glibc"), ("runc", "runc")]
    assert packages[2] == {
        "type": "deb",
        "name": "runc",
        "version": "1.1.5+ds1-1",
        "architecture": "amd64",
        "source": "runc",
        "sourceVersion": "1.1.5+ds1-1",
    }


def test_rpm_packages(machine: Machine) -> None:
    machine.answers("rpm", RPM)
    packages = [(package["name"], package["version"]) for package in machine.taken()["packages"]]
    assert packages == [("bash", "5.1.8-9.el9"), ("bind-libs", "32:9.16-1.el9")]


def test_a_list_that_could_not_be_had_is_no_empty_list(machine: Machine) -> None:
    machine.answers("dpkg-query", "")
    broken = Path(machine.bundle.parent / "path/dpkg-query")
    broken.write_text("#!/bin/sh\nexit 2\n")
    with pytest.raises(subprocess.CalledProcessError):
        machine.taken()


def test_container_images_are_named_once(machine: Machine) -> None:
    machine.answers("ctr", CTR)
    assert machine.taken()["images"] == [{"reference": "registry.k8s.io/pause:3.10.2", "digest": "sha256:aa"}]


def test_versions_of_programs(machine: Machine) -> None:
    declared = machine.write("usr/bin/kubelet", "kubelet")
    bundled = machine.write("usr/local/bin/containerd", "containerd")
    asked = machine.write("opt/cni/bin/bridge", "#!/bin/sh\necho CNI bridge plugin v1.9.1 >&2\n")
    foreign = machine.write("usr/local/sbin/hooked", "#!/bin/sh\necho 1.0.0; echo ran >$0.ran\n")
    machine.bundles(containerd="2.3.7")
    taken = machine.taken(usr__bin__kubelet="1.37.2", usr__local__bin__containerd="", opt__cni__bin__bridge="")
    assert {binary["path"]: (binary["version"], binary["sha256"]) for binary in taken["binaries"]} == {
        "/opt/cni/bin/bridge": ("1.9.1", asked),
        "/usr/bin/kubelet": ("1.37.2", declared),
        "/usr/local/bin/containerd": ("2.3.7", bundled),
        "/usr/local/sbin/hooked": ("", foreign),
    }
    assert not (machine.root / "usr/local/sbin/hooked.ran").exists()


@pytest.mark.parametrize("content", ["changed", "containerD"])
def test_a_program_that_is_not_the_bundle_s_any_more_has_its_own_hash(machine: Machine, content: str) -> None:
    changed = machine.write("usr/local/bin/containerd", content)
    machine.bundles(containerd="2.3.7")
    (binary,) = machine.taken()["binaries"]
    assert (binary["sha256"], binary["version"]) == (changed, "")


def test_imagegen_reads_what_the_machine_wrote(machine: Machine) -> None:
    machine.answers("dpkg-query", DPKG)
    machine.answers("ctr", CTR)
    machine.write("usr/bin/kubelet", "kubelet")
    read = read_inventory(json.loads(json.dumps(machine.taken(usr__bin__kubelet="1.37.2"))))
    assert (read.image, read.fingerprint, read.system, read.system_version) == ("node", "f" * 64, "debian", "12")
    assert [package.name for package in read.packages] == ["kubelet", "libc6", "runc"]
    assert [binary.path for binary in read.binaries] == ["/usr/bin/kubelet"]
    assert [image.digest for image in read.images] == ["sha256:aa"]
