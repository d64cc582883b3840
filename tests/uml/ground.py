"""What a machine of user-mode Linux needs changed on its disk before its first boot, all of it, with the reason."""

import shutil
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

from imagegen.lab.network import CARD
from tools.uml_kernel import Kernel

UNIT = "etc/systemd/system/lab-ground.service"
WANTED = "etc/systemd/system/sysinit.target.wants/lab-ground.service"
MODULES = "usr/lib/modules"
# What the cable's ends may not put off to a card that there is not.
OFFLOADS = ("tx", "off", "rx", "off", "tso", "off", "gso", "off", "gro", "off", "sg", "off")

UNIT_TEXT = f"""\
[Unit]
Description=What user-mode Linux lacks of a machine
DefaultDependencies=no
After=systemd-remount-fs.service
Before=sysinit.target systemd-udev-trigger.service cloud-init-local.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=ip link set vec0 name {CARD}
ExecStart=sh -c 'sed "s/^bogomips/cpu MHz\\\\t\\\\t: 1000.000\\\\n&/" /proc/cpuinfo >/run/lab-cpuinfo'
ExecStart=mount --bind /run/lab-cpuinfo /proc/cpuinfo
"""
TABLE = {
    UNIT: f"the kernel calls its card vec0, not {CARD}; and tells no clock speed of its processors, without which no"
    " kubelet starts",
    WANTED: "starts that unit",
    MODULES: "the modules of the machine's own kernel",
}


def prepare(root: Path, kernel: Kernel) -> None:
    """Make every change of the table."""
    (root / UNIT).write_text(UNIT_TEXT, encoding="utf-8")
    (root / WANTED).parent.mkdir(parents=True, exist_ok=True)
    (root / WANTED).symlink_to(f"/{UNIT}")
    shutil.copytree(kernel.modules, root / MODULES / kernel.release)


def table() -> Iterator[str]:
    """The table as lines for the reader of a test's output."""
    for path, reason in TABLE.items():
        yield f"  /{path}: {reason}"


def mac(address: str) -> str:
    """A card's address, of its machine's."""
    return ":".join(["02", "69", *(f"{byte:02x}" for byte in IPv4Address(address).packed)])
