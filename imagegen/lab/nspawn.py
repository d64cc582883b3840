"""Machines as systemd-nspawn containers: the image's userland at native speed, the host's kernel."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import CompletedProcess

from imagegen.lab import disk
from imagegen.lab.cgroups import Group
from imagegen.lab.network import Cable
from imagegen.lab.process import LabError, run

HALT = signal.SIGRTMIN + 4
ENTER = 'for entrance in $ENTRANCES; do echo $$ > "$entrance" || exit 1; done; exec "$@"'
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(slots=True, kw_only=True)
class NspawnMachine:
    """A machine from a raw disk, which is its own and stays mounted until `close`."""

    name: str
    disk: Path
    root: Path
    log: Path
    cable: Cable
    group: Group
    unified: bool
    read_only: Mapping[str, Path] = field(default_factory=dict)
    """Folders of the host that the machine sees and cannot change, by where they lie in it."""
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    @property
    def is_running(self) -> bool:
        return self._running() is not None

    def open(self) -> None:
        """Make the disk's root file system visible below `root`."""
        disk.mount(self.disk, self.root)

    def start(self) -> None:
        if self._running() is not None:
            raise LabError(f"{self.name} is running")
        self.cable.plug()
        self.group.create()
        self._process = launch(self._command(), self._environment(), group=self.group, log=self.log)

    def shell(self, command: str, *, timeout: float = 60, check: bool = True) -> CompletedProcess[str]:
        leader = self._leader(patience=10)
        inside = ("env", "-i", f"PATH={PATH}", "HOME=/root", "LANG=C.UTF-8", "sh", "-c", command)
        return run("nsenter", "-t", str(leader), "-a", *inside, timeout=timeout, check=check)

    def power_cut(self) -> None:
        os.kill(self._leader(patience=10), signal.SIGKILL)
        self._clear(patience=10)

    def cut_network(self) -> None:
        self.cable.cut()

    def restore_network(self) -> None:
        self.cable.restore()

    def console(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def memory(self) -> int:
        """Bytes of memory that the machine's processes hold."""
        return self.group.memory()

    def stop(self, *, patience: float = 60) -> None:
        os.kill(self._leader(patience=10), HALT)
        self._clear(patience=patience)

    def close(self) -> None:
        """Cut its power if it has any, and let go of its disk."""
        self._clear(patience=0)
        if self.root.is_mount():
            disk.unmount(self.root)
        # nspawn leaves its lock beside the root.
        self.root.with_name(f".#{self.root.name}.lck").unlink(missing_ok=True)

    def _command(self) -> list[str]:
        return [
            "systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit",
            f"--directory={self.root}", f"--machine={self.name}",
            f"--network-namespace-path={self.cable.namespace}",
            # The clock is the host's: no machine may set it.
            "--capability=all", "--drop-capability=CAP_SYS_TIME",
            "--bind=/dev/kmsg", "--link-journal=no", "--resolv-conf=off", "--timezone=off",
            *(f"--bind-ro={folder}:{target}" for target, folder in self.read_only.items()),
        ]  # fmt: skip

    def _environment(self) -> Mapping[str, str]:
        return {
            # With "1" the machine's networkd waits for a udev that never comes.
            "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network",
            "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1" if self.unified else "0",
            "SYSTEMD_SECCOMP": "0",
        }

    def _running(self) -> subprocess.Popen[bytes] | None:
        process = self._process
        return process if process is not None and process.poll() is None else None

    def _leader(self, *, patience: float) -> int:
        """The machine's first process, once it has become the image's systemd."""
        limit = time.monotonic() + patience
        while (process := self._running()) is not None and time.monotonic() < limit:
            for pid in _children(process.pid):
                if _is_init(pid):
                    return pid
            time.sleep(0.05)
        raise LabError(f"{self.name} is not running; its console ends so:\n{self.console()[-2000:]}")

    def _clear(self, *, patience: float) -> None:
        """Wait for the end, force it where it does not come, and leave nothing of this boot behind."""
        process = self._running()
        if process is not None:
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                self.group.delete()
                process.wait(10)
        self._process = None
        self.group.delete()
        self.cable.unplug()


def launch(
    command: Sequence[str], environment: Mapping[str, str], *, group: Group, log: Path
) -> subprocess.Popen[bytes]:
    """Start a machine's program inside a control group; what it says goes behind the end of the log."""
    with log.open("ab") as console:
        return subprocess.Popen(
            ["sh", "-c", ENTER, "enter", *command],
            env={"PATH": PATH, "ENTRANCES": " ".join(group.entrances()), **environment},
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _children(pid: int) -> tuple[int, ...]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8")
    except OSError:
        return ()
    return tuple(int(child) for child in text.split())


def _is_init(pid: int) -> bool:
    """Whether a process is the first one of its own namespace and has left nspawn's code."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return False
    fields = dict(line.split(":", maxsplit=1) for line in status.splitlines() if ":" in line)
    return fields["NSpid"].split()[-1] == "1" and fields["Name"].strip() in {"systemd", "init"}
