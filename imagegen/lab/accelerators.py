"""What makes a QEMU machine quick on this computer: found by booting, for a device file proves nothing."""

import os
import platform
import re
import selectors
import shutil
import subprocess
import sys
import time
from pathlib import Path

from imagegen.lab.process import LabError

EMULATED = "tcg"
"""Works everywhere, without help of the hardware; programs run 10 to 20 times slower."""
_OF_SYSTEM = {"linux": "kvm", "darwin": "hvf"}
_PROGRAMS = {"x86_64": "qemu-system-x86_64", "amd64": "qemu-system-x86_64"}
# The kernel's lines on a console begin with the seconds since its start.
_KERNEL = re.compile(rb"\[ *\d+\.\d{6}\] ")
_MEMORY = 512


def program() -> str:
    """The QEMU for machines of this computer's own architecture."""
    machine = platform.machine().lower()
    name = _PROGRAMS.get(machine)
    if name is None:
        raise LabError(f"machines are started on x86-64 only so far, and this is {machine}")
    if shutil.which(name) is None:
        raise LabError(f"{name}: not found: install QEMU (Debian: qemu-system-x86 and qemu-utils; Homebrew: qemu)")
    return name


def quick() -> str | None:
    """The accelerator that this system would have."""
    return _OF_SYSTEM.get(sys.platform)


def choose(disk: Path, *, patience: float = 30) -> str:
    """The quick one, if the kernel on a disk comes to speak with it; else emulation."""
    name = quick()
    return name if name and carries(name, disk, patience=patience) else EMULATED


def processor(accelerator: str) -> str:
    """The CPU that a machine sees: the default one is too old for systems that are built for x86-64-v2."""
    return "max" if accelerator == EMULATED else "host"


def trial(accelerator: str, disk: Path) -> list[str]:
    """The command that boots a disk without writing to it, its console on standard output."""
    return [
        program(), "-accel", accelerator, "-cpu", processor(accelerator), "-m", str(_MEMORY),
        "-nodefaults", "-no-reboot", "-display", "none", "-monitor", "none", "-serial", "stdio", "-snapshot",
        "-drive", f"file={escaped(disk)},if=virtio",
    ]  # fmt: skip


def carries(accelerator: str, disk: Path, *, patience: float) -> bool:
    """Whether a kernel gets to speak: a KVM may be there, run a BIOS, and give up at the first kernel."""
    command = trial(accelerator, disk)
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    ) as process:
        try:
            return _hears_kernel(process, time.monotonic() + patience)
        finally:
            process.kill()


def _hears_kernel(process: subprocess.Popen[bytes], limit: float) -> bool:
    heard, pipe = b"", process.stdout
    if pipe is None:
        return False
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while (left := limit - time.monotonic()) > 0 and selector.select(left):
            chunk = os.read(pipe.fileno(), 4096)
            heard += chunk
            if _KERNEL.search(heard):
                return True
            # QEMU stands still after such an error, and does not end.
            if not chunk or b"internal error" in heard:
                return False
    return False


def escaped(path: Path) -> str:
    """A path as a value of QEMU's options, in which a comma is doubled."""
    return str(path).replace(",", ",,")
