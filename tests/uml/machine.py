"""Machines of user-mode Linux: a kernel of their own as a program of this host, the image's userland above it."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess

from imagegen.lab import disk
from imagegen.lab.cgroups import Group
from imagegen.lab.lab import Lab
from imagegen.lab.machine import Machine
from imagegen.lab.network import CARD, Cable
from imagegen.lab.nspawn import launch
from imagegen.lab.process import LabError, run
from tests.support import ssh
from tests.uml import ground
from tools.uml_kernel import Kernel

MEBIBYTES = 3072


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Whom the machine lets in, by SSH."""

    user: str
    address: str
    key: Path


@dataclass(slots=True, kw_only=True)
class UmlMachine(Machine):
    """A machine from a raw disk of its own and a NoCloud disc."""

    name: str
    log: Path
    disk: Path
    seed: Path
    kernel: Kernel
    cable: Cable
    group: Group
    login: Login
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        if self.is_running:
            raise LabError(f"{self.name} is running")
        self.cable.plug()
        self._open_card()
        self.group.create()
        self._process = launch(self._command(), {}, group=self.group, log=self.log)

    def shell(self, command: str, *, timeout: float = 60, check: bool = True) -> CompletedProcess[str]:
        inside = ("sudo", "sh", "-c", shlex.quote(command))
        reached = ssh.command(self.login.user, self.login.address, self.login.key)
        return self.cable.network.run(*reached, *inside, timeout=timeout, check=check)

    def power_cut(self) -> None:
        if not self.is_running:
            raise LabError(f"{self.name} is not running; its console ends so:\n{self.console()[-2000:]}")
        self._clear()

    def cut_network(self) -> None:
        self.cable.cut()

    def restore_network(self) -> None:
        self.cable.restore()

    def console(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def memory(self) -> int:
        """Bytes of this host's memory that it holds."""
        return self.group.memory()

    def stop(self) -> None:
        self.shell("systemctl poweroff", check=False)
        if self._process is not None:
            self._process.wait(120)
        self._clear()

    def close(self) -> None:
        """Cut its power if it has any, and leave nothing of it behind."""
        self._clear()

    def _command(self) -> list[str]:
        return [
            *("ip", "netns", "exec", self.cable.namespace.name, str(self.kernel.program)),
            *(f"ubd0={self.disk}", f"ubd1r={self.seed}", "root=/dev/ubda1", "ro"),
            *(f"mem={MEBIBYTES}M", "ncpus=2", "seccomp=on", f"uml_dir={self.log.parent}/", f"umid={self.name}"),
            *("con=null", "con0=null,fd:1", "ssl=null"),
            f"vec0:transport=raw,ifname={CARD},depth=128,mac={ground.mac(self.login.address)}",
        ]

    def _open_card(self) -> None:
        """The machine takes frames from the cable's end as they are: all of them, each checksum in its place."""
        inside = ("ip", "netns", "exec", self.cable.namespace.name)
        run(*inside, "sysctl", "-q", f"net.ipv6.conf.{CARD}.disable_ipv6=1")
        run(*inside, "ethtool", "-K", CARD, *ground.OFFLOADS)
        run(*inside, "ip", "link", "set", CARD, "up", "promisc", "on")
        self.cable.network.run("ethtool", "-K", self.cable.port, *ground.OFFLOADS)

    def _clear(self) -> None:
        self.group.delete()
        if self._process is not None:
            self._process.wait(10)
        self._process = None
        self.cable.unplug()


def machine(
    opened: Lab, name: str, image: Path, *, number: int, seed: Path, kernel: Kernel, login: Login
) -> UmlMachine:
    """A machine of a lab from its own copy of a disk image, made ready for the ground; not yet started."""
    own, raw, disc = f"{opened.name}-{name}", opened.folder / f"{name}.raw", opened.folder / f"{name}.iso"
    disk.copy_raw(image, raw)
    with disk.mounted(raw, opened.folder / "roots" / name) as root:
        ground.prepare(root, kernel)
    points = [f"{path.name}={path}" for path in sorted(seed.iterdir())]
    run(
        "xorriso",
        "-as",
        "genisoimage",
        "-quiet",
        "-rock",
        "-graft-points",
        "-volid",
        "cidata",
        "-o",
        str(disc),
        *points,
    )
    return UmlMachine(
        name=name,
        log=opened.folder / f"{name}.console",
        disk=raw,
        seed=disc,
        kernel=kernel,
        cable=opened.network.cable(name=own, port=f"port{number}"),
        group=opened.hierarchies.group(own),
        login=login,
    )
