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


def _sandbox(output: Output, _: Read) -> str:
    return _of_containerd(output, "sandbox")


def _of_containerd(output: Output, key: str) -> str:
    # Asked, not read: what counts is what containerd makes of all its files.
    found = re.search(rf"(?m)^\s*{key} = ['\"]?([^'\"\n]*)", output("containerd", "config", "dump"))
    return found[1] if found else ""


READERS: dict[str, Callable[[Output, Read], str]] = {
    "swap": _swap,
    "kubelet": _kubelet,
    "containerd-cgroups": _cgroups,
    "containerd-sandbox": _sandbox,
}
