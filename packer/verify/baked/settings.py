"""How each declared setting is read from the machine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Output = Callable[..., str]
    Read = Callable[[Path], str]

_SWAP_LINE = re.compile(r"(?m)^[^#\s]\S*\s+\S+\s+swap\s")


def _swap(_: Output, read: Read) -> str:
    used = len(read(Path("/proc/swaps")).splitlines()) > 1
    return "on" if used or _SWAP_LINE.search(read(Path("/etc/fstab"))) else "off"


def _kubelet(output: Output, _: Read) -> str:
    return output("systemctl", "is-active", "kubelet.service").strip()


def _cgroups(output: Output, _: Read) -> str:
    return "systemd" if _of_containerd(output, "SystemdCgroup") == "true" else "cgroupfs"


def _selinux(output: Output, read: Read) -> str:
    configured = re.search(r"(?m)^SELINUX=(\w+)", read(Path("/etc/selinux/config")))
    states = (output("getenforce").strip(), configured[1] if configured else "")
    return "enforcing" if "enforcing" in {state.lower() for state in states} else "not enforcing"


def _chrony_folders(_: Output, read: Read) -> str:
    text = read(Path("/etc/chrony/chrony.conf")) + read(Path("/etc/chrony.conf"))
    lines = {" ".join(line.split()) for line in text.splitlines()}
    return "read" if {"confdir /etc/chrony/conf.d", "sourcedir /etc/chrony/sources.d"} <= lines else "not read"


def _cgroup_version(output: Output, _: Read) -> str:
    if output("stat", "--file-system", "--format=%T", "/sys/fs/cgroup").strip() == "cgroup2fs":
        return "v2"
    kernels = [line for line in output("grubby", "--info=ALL").splitlines() if line.startswith("args=")]
    wanted = "systemd.unified_cgroup_hierarchy=1"
    return "v2" if kernels and all(wanted in line for line in kernels) else "v1"


def _sandbox(output: Output, _: Read) -> str:
    return _of_containerd(output, "sandbox(?:_image)?")


def _of_containerd(output: Output, key: str) -> str:
    # Asked, not read: what counts is what containerd makes of all its files.
    found = re.search(rf"(?m)^\s*{key} = ['\"]?([^'\"\n]*)", output("containerd", "config", "dump"))
    return found[1] if found else ""


READERS: dict[str, Callable[[Output, Read], str]] = {
    "cgroups": _cgroup_version,
    "chrony-folders": _chrony_folders,
    "selinux": _selinux,
    "swap": _swap,
    "kubelet": _kubelet,
    "containerd-cgroups": _cgroups,
    "containerd-sandbox": _sandbox,
}
