"""A Debian base disk like the distributor's cloud image: boots by itself, waits for cloud-init data."""

import contextlib
import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools import cache, debian

SUITE = "bookworm"
_PACKAGES = (
    "ca-certificates",
    "cloud-guest-utils",
    "cloud-init",
    "dbus",
    "e2fsprogs",
    "fdisk",
    "init",
    "iproute2",
    "iputils-ping",
    "less",
    "linux-image-cloud-amd64",
    "netplan.io",
    "openssh-server",
    "procps",
    "python3",
    "sudo",
    "systemd-resolved",
    "systemd-timesyncd",
    "udev",
    "unattended-upgrades",
)
_LABEL = "imagegen-root"
_DISK_MIB = 6144
_PARTITION_MIB = 1
_EXTLINUX = f"""\
DEFAULT linux
PROMPT 0
TIMEOUT 1
LABEL linux
  LINUX /vmlinuz
  INITRD /initrd.img
  APPEND root=LABEL={_LABEL} ro console=tty0 console=ttyS0,115200
"""
# The boot loader reads ext4 without these.
_EXT4_WITHOUT = "^64bit,^metadata_csum_seed,^orphan_file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """A base disk in the cache."""

    disk: Path
    checksum: str
    installed: Path


def base(suite: str = SUITE) -> Base:
    """Give the base disk of a suite, made first where the cache has it not."""
    recipe = json.dumps([suite, _PACKAGES, _LABEL, _DISK_MIB, _EXTLINUX, _EXT4_WITHOUT])
    folder = cache.made("base", cache.key(recipe, Path(__file__).read_bytes()), lambda folder: _make(suite, folder))
    checksum = (folder / "disk.qcow2.sha256").read_text().split()[0]
    return Base(disk=folder / "disk.qcow2", checksum=f"sha256:{checksum}", installed=folder / "status")


def _make(suite: str, folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="imagegen-base-", dir=folder) as scratch:
        tree, raw = Path(scratch) / "tree", Path(scratch) / "disk.raw"
        _bootstrap(suite, tree)
        (folder / "status").write_bytes((tree / "var/lib/dpkg/status").read_bytes())
        _partition(raw)
        _fill(raw, tree)
        _install_loader(raw, Path(scratch) / "mount")
        _run("qemu-img", "convert", "-O", "qcow2", raw, folder / "disk.qcow2")
    with (folder / "disk.qcow2").open("rb") as disk:
        checksum = hashlib.file_digest(disk, "sha256").hexdigest()
    (folder / "disk.qcow2.sha256").write_text(f"{checksum}  disk.qcow2\n")


def _bootstrap(suite: str, tree: Path) -> None:
    _run(
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        f"--include={','.join(_PACKAGES)}",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        suite,
        tree,
        *debian.sources(suite),
    )
    (tree / "etc/fstab").write_text(f"LABEL={_LABEL} / ext4 errors=remount-ro 0 1\n")
    (tree / "etc/hostname").write_text("localhost\n")
    (tree / "etc/machine-id").write_text("")
    (tree / "etc/default/locale").write_text("LANG=C.UTF-8\n")
    (tree / "boot/extlinux").mkdir()
    (tree / "boot/extlinux/extlinux.conf").write_text(_EXTLINUX)
    resolver = tree / "etc/resolv.conf"
    resolver.unlink(missing_ok=True)
    resolver.symlink_to("../run/systemd/resolve/stub-resolv.conf")
    for key in (tree / "etc/ssh").glob("ssh_host_*"):
        key.unlink()


def _partition(raw: Path) -> None:
    _run("truncate", "-s", f"{_DISK_MIB}M", raw)
    _run("sfdisk", "--quiet", raw, stdin=f"label: dos\nstart={_PARTITION_MIB}MiB, type=83, bootable\n")
    boot_code = Path("/usr/lib/syslinux/mbr/mbr.bin").read_bytes()
    with raw.open("r+b") as disk:
        disk.write(boot_code[:440])


def _fill(raw: Path, tree: Path) -> None:
    size = f"{_DISK_MIB - _PARTITION_MIB}M"
    offset = f"offset={_PARTITION_MIB * 2**20}"
    _run("mke2fs", "-q", "-t", "ext4", "-L", _LABEL, "-O", _EXT4_WITHOUT, "-E", offset, "-d", tree, raw, size)


def _install_loader(raw: Path, mount_point: Path) -> None:
    with _mounted(raw, mount_point):
        _run("extlinux", "--install", mount_point / "boot/extlinux")


@contextlib.contextmanager
def _mounted(raw: Path, mount_point: Path) -> Iterator[None]:
    mount_point.mkdir()
    _run("mount", "-o", f"loop,offset={_PARTITION_MIB * 2**20}", raw, mount_point)
    try:
        yield
    finally:
        _run("umount", mount_point)


def _run(*command: str | Path, stdin: str = "") -> None:
    subprocess.run([str(word) for word in command], input=stdin, text=True, check=True)


if __name__ == "__main__":
    print(base(*sys.argv[1:]).disk)
