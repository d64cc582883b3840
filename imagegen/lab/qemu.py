"""Machines as QEMU runs them, with the image's own kernel and boot loader: without root, daemon or libvirt."""

import json
import shutil
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess
from typing import BinaryIO

from imagegen.lab import accelerators, seed, switch
from imagegen.lab.accelerators import escaped
from imagegen.lab.process import LabError, run

_ADDRESS = "52:54:00:69:6d:{number:02x}"
_PROCESSORS = 2
_SOON = 10


@dataclass(slots=True, kw_only=True)
class QemuMachine:
    """A machine with a disk and a seed of its own, its card on the switch of `sockets`, a monitor for its power there.

    It is started in that folder: a socket's path may have 104 bytes, and its name alone is shorter. Other paths are
    absolute ones.
    """

    name: str
    number: int
    disk: Path
    seed: Path
    log: Path
    sockets: Path
    accelerator: str
    memory: int
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    @property
    def _monitor(self) -> str:
        return f"{self.name}.monitor"

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        if self.is_running:
            raise LabError(f"{self.name} is running")
        (self.sockets / self._monitor).unlink(missing_ok=True)
        with self.log.open("ab") as said:
            # What QEMU itself complains of stands in the console's file.
            self._process = started(self.command(), said, self.sockets)

    def command(self) -> list[str]:
        """QEMU's command line."""
        return [
            accelerators.program(), "-name", self.name,
            "-accel", self.accelerator, "-cpu", accelerators.processor(self.accelerator),
            "-smp", str(_PROCESSORS), "-m", str(self.memory),
            "-nodefaults", "-no-user-config", "-display", "none", "-device", "virtio-rng-pci",
            "-monitor", f"unix:{self._monitor},server=on,wait=off",
            "-chardev", f"file,id=console,path={escaped(self.log)},append=on", "-serial", "chardev:console",
            # A machine that is thrown away need not wait for the disk under it.
            "-drive", f"file={escaped(self.disk)},format=qcow2,if=virtio,cache=unsafe,discard=unmap",
            *seed.drive(self.seed),
            "-netdev", f"stream,id=card,server=off,addr.type=unix,addr.path={switch.NODES}",
            "-device", f"virtio-net-pci,netdev=card,mac={_ADDRESS.format(number=self.number)}",
        ]  # fmt: skip

    def shell(self, command: str, *, timeout: float = 60, check: bool = True) -> CompletedProcess[str]:
        del command, timeout, check
        raise LabError(f"{self.name}: nobody gets into a virtual machine from outside; log in by its network")

    def power_cut(self) -> None:
        process = self._process
        if process is None or not self.is_running:
            raise LabError(f"{self.name} is not running; its console ends so:\n{self.console()[-2000:]}")
        process.kill()
        process.wait(_SOON)

    def cut_network(self) -> None:
        raise LabError(f"{self.name}: the card of a virtual machine cannot be cut off here without its noticing")

    def restore_network(self) -> None:
        raise LabError(f"{self.name}: its network was not cut")

    def console(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def stop(self, *, patience: float = 60) -> None:
        """Press the power button, and take the power away where that does not help."""
        process = self._process
        if process is None or not self.is_running:
            raise LabError(f"{self.name} is not running")
        with suppress(OSError), socket.socket(socket.AF_UNIX) as monitor:
            monitor.connect(str(self.sockets / self._monitor))
            monitor.sendall(b"system_powerdown\n")
            with suppress(subprocess.TimeoutExpired):
                process.wait(patience)
        self.close()

    def close(self) -> None:
        """Cut its power if it has any."""
        if self.is_running:
            self.power_cut()


def overlay(base: Path, target: Path) -> Path:
    """A disk that holds only what differs from another one, which must stay as it is."""
    told = json.loads(run("qemu-img", "info", "--output=json", str(base)).stdout)
    # A relative path would be looked for beside the new file.
    run("qemu-img", "create", "-q", "-f", "qcow2", "-b", str(base.resolve()), "-F", told["format"], str(target))
    return target


def started(command: list[str], said: BinaryIO, folder: Path) -> subprocess.Popen[bytes]:
    """A program in a folder that a Ctrl-C does not reach, and, on Linux, that ends with this one whatever ends it."""
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    wrapper = [setpriv, "--pdeathsig", "KILL"] if setpriv else []
    return subprocess.Popen(
        [*wrapper, *command],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=said,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def await_path(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until a program has made its socket."""
    limit = time.monotonic() + _SOON
    while not path.exists():
        if process.poll() is not None or time.monotonic() > limit:
            raise LabError(f"{path.name}: the machines' network does not come up")
        time.sleep(0.02)
