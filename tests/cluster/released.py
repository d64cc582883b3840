"""What vendors release as plain files, with the real programs in them, laid out as theirs: `<host>/<path>`."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

from tests.cluster import packaged
from tests.support.vendors import CONTAINERD, KUBERNETES

CNI, RUNC = "1.9.1", "1.4.3"
_GITHUB = "github.com/{0}/releases/download/v{1}"
_BUILD = "20261110-2293"


def lay_out(folder: Path, bundle: Path, base: Path, scratch: Path) -> None:
    """Fill a folder that is served, with a folder for each of the vendors' hosts."""
    _kubernetes(folder / f"dl.k8s.io/release/v{KUBERNETES}/bin/linux/amd64", bundle / "bin")
    releases = folder / _GITHUB.format("containerd/containerd", CONTAINERD)
    containerd = [f"bin/{name}" for name in ("containerd", "containerd-shim-runc-v2", "ctr")]
    _archive(releases / f"containerd-static-{CONTAINERD}-linux-amd64.tar.gz", bundle, containerd, ".sha256sum")
    releases = folder / _GITHUB.format("containernetworking/plugins", CNI)
    plugins = [f"./{path.name}" for path in sorted((bundle / "cni").iterdir())]
    _archive(releases / f"cni-plugins-linux-amd64-v{CNI}.tgz", bundle / "cni", plugins, ".sha256")
    _runc(folder / _GITHUB.format("opencontainers/runc", RUNC), packaged.debians_runc(bundle, scratch))
    _cloud_image(folder / "cloud.debian.org/images/cloud/bookworm" / _BUILD, base)


def _kubernetes(folder: Path, programs: Path) -> None:
    folder.mkdir(parents=True)
    for name in ("kubeadm", "kubectl", "kubelet"):
        (folder / name).symlink_to(programs / name)
        (folder / f"{name}.sha256").write_text(_sum(folder / name))


def _archive(path: Path, top: Path, members: list[str], suffix: str) -> None:
    path.parent.mkdir(parents=True)
    # Quickly: nobody looks at how small it is.
    subprocess.run(["tar", "--use-compress-program=gzip -1", "-cf", path, "-C", top, *members], check=True)
    path.with_name(f"{path.name}{suffix}").write_text(f"{_sum(path)}  {path.name}\n")


def _runc(folder: Path, program: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "runc.amd64").symlink_to(program)
    (folder / "runc.sha256sum").write_text(f"{_sum(program)}  runc.amd64\n")


def _cloud_image(folder: Path, base: Path) -> None:
    folder.mkdir(parents=True)
    disk = folder / f"debian-12-genericcloud-amd64-{_BUILD}.qcow2"
    disk.symlink_to(base)
    (folder / "SHA512SUMS").write_text(f"{_sum(disk, 'sha512')}  {disk.name}\n")


def _sum(path: Path, how: str = "sha256") -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, how).hexdigest()
