"""The programs that the machine tests run, and the Debian packages that bring them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from types import MappingProxyType

PACKAGES = {
    "cc": "gcc",
    "curl": "curl",
    "extlinux": "extlinux",
    "git": "git",
    "haproxy": "haproxy",
    "ip": "iproute2",
    "mke2fs": "e2fsprogs",
    "mmdebstrap": "mmdebstrap",
    "packer": "packer",
    "qemu-img": "qemu-utils",
    "qemu-system-x86_64": "qemu-system-x86",
    "sfdisk": "fdisk",
    "ssh-keygen": "openssh-client",
    "systemd-nspawn": "systemd-container",
    "xorriso": "xorriso",
}
"""Program → package."""
FOR_UML = {"ethtool": "ethtool", "ssh": "openssh-client"}


def require(more: Mapping[str, str] = MappingProxyType({})) -> None:
    """Fail, with what is to be installed, where a machine test cannot run: it is never skipped."""
    assert os.geteuid() == 0, "machines need root"
    missing = sorted(package for program, package in {**PACKAGES, **more}.items() if shutil.which(program) is None)
    assert not missing, f"machine tests need more programs: apt-get install {' '.join(missing)}"
    assert shutil.which("go"), "`make tools` needs Go 1.26 or newer"
