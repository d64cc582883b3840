"""A baked disk under QEMU, with its own kernel; slow, for nothing here has hardware support for it."""

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support import ssh

_STOP_LIMIT = 120
_TRIES, _PAUSE = 20, 3.0
# What ssh says when the command never reached the machine: sshd is restarted in its first minute.
_NOT_REACHED = (b"kex_exchange_identification", b"Connection refused")
_SSH_FAILED = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """A running machine, reached by SSH on loopback."""

    port: int
    user: str
    key: Path
    console: Path
    disk: Path
    process: subprocess.Popen[bytes]

    def run(self, command: str, *, stdin: bytes = b"", check: bool = True, limit: float = 300) -> str:
        """Run a shell command in the guest as root and give its output."""
        result = self._run(command, stdin, limit)
        tries = _TRIES if check else 1
        while tries > 1 and _was_not_reached(result):
            time.sleep(_PAUSE)
            result, tries = self._run(command, stdin, limit), tries - 1
        said = result.stdout.decode(errors="replace")
        if check and result.returncode != 0:
            raise AssertionError(f"{command!r} gave {result.returncode}:\n{said}{result.stderr.decode()}")
        return said

    def _run(self, command: str, stdin: bytes, limit: float) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [*self._ssh(), "sudo", "sh", "-c", _quoted(command)],
            input=stdin,
            capture_output=True,
            check=False,
            timeout=limit,
        )

    def power_off(self, limit: float) -> None:
        """Switch it off, in order; its disk is there until `booted` ends."""
        self.run("systemctl poweroff", check=False, limit=60)
        self.process.wait(limit)

    def reboot(self, limit: float) -> float:
        """Boot it anew, in order, and give the seconds until it takes a login again."""
        before, started = self.run("cat /proc/sys/kernel/random/boot_id"), time.monotonic()
        self.run("systemctl reboot", check=False, limit=60)
        while self.run("cat /proc/sys/kernel/random/boot_id", check=False, limit=60) in {"", before}:
            assert time.monotonic() - started < limit, f"no login {limit:.0f} s after a reboot"
            time.sleep(3)
        return time.monotonic() - started

    def wait_for_ssh(self, limit: float) -> float:
        """Wait until the guest takes a login, and give the seconds it took."""
        before = time.monotonic()
        while time.monotonic() - before < limit:
            with contextlib.suppress(subprocess.TimeoutExpired):
                if subprocess.run([*self._ssh(), "true"], check=False, capture_output=True, timeout=60).returncode == 0:
                    return time.monotonic() - before
            time.sleep(3)
        raise AssertionError(f"no login after {limit:.0f} s; the console's end:\n{self.console.read_text()[-3000:]}")

    def _ssh(self) -> list[str]:
        return ssh.command(self.user, "127.0.0.1", self.key, port=self.port)


@contextlib.contextmanager
def booted(
    disk: Path,
    seed: Path,
    work: Path,
    *,
    address: str,
    user: str,
    key: Path,
    gib: int | None = None,
    more: tuple[Path, ...] = (),
    clock: str = "",
    wire: Path | None = None,
) -> Iterator[Guest]:
    """Boot a copy of a disk with a NoCloud folder, which names it; the network ends at this machine.

    `gib` is the disk's size, if not its own; `more` is on the seed's disc beside the seed. `clock` is what its clock
    says at first, `wire` the socket of somebody else on its network.
    """
    overlay, disc, console = (work / f"{seed.name}.{suffix}" for suffix in ("qcow2", "iso", "console"))
    _tool("qemu-img", "create", "-q", "-f", "qcow2", "-b", disk, "-F", "qcow2", overlay, *([f"{gib}G"] if gib else []))
    points = [f"{path.name}={path}" for path in (*seed.iterdir(), *more)]
    grafted = ("-quiet", "-rock", "-joliet", "-graft-points", "-volid", "cidata", "-o", disc)
    _tool("xorriso", "-as", "genisoimage", *grafted, *points)
    port = _free_port()
    network = f"user,id=net0,net={address.rpartition('.')[0]}.0/24,restrict=on"
    command = [
        "qemu-system-x86_64",
        *("-accel", "tcg", "-m", "2048", "-smp", "2", "-display", "none", "-monitor", "none"),
        *("-serial", f"file:{console}"),
        *("-drive", f"file={overlay},if=virtio,cache=unsafe"),
        *("-drive", f"file={disc},media=cdrom"),
        *("-netdev", f"{network},hostfwd=tcp:127.0.0.1:{port}-{address}:22"),
        *(_shared(wire) if wire else ("-device", "virtio-net,netdev=net0")),
        *(("-rtc", f"base={clock}") if clock else ()),
    ]
    # Empty until QEMU has opened it.
    console.write_bytes(b"")
    machine = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    try:
        yield Guest(port=port, user=user, key=key, console=console, disk=overlay, process=machine)
    finally:
        machine.terminate()
        machine.wait(_STOP_LIMIT)
        overlay.unlink()
        disc.unlink()


def _shared(wire: Path) -> tuple[str, ...]:
    """One network of QEMU's own and of whoever is at the other end of a socket."""
    return (
        *("-netdev", f"stream,id=wire,server=off,addr.type=unix,addr.path={wire}"),
        *(word for end in ("net0", "wire") for word in ("-netdev", f"hubport,id=to-{end},hubid=0,netdev={end}")),
        *("-netdev", "hubport,id=card,hubid=0", "-device", "virtio-net,netdev=card"),
    )


def new_key(path: Path) -> str:
    """Make an SSH key pair for one run and give its public half."""
    if shutil.which("ssh-keygen") is None:
        raise RuntimeError("ssh-keygen is missing")
    _tool("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "vm-test", "-f", path)
    return path.with_suffix(".pub").read_text().strip()


def _tool(*command: str | Path) -> None:
    subprocess.run([str(word) for word in command], check=True, capture_output=True)


def _was_not_reached(result: subprocess.CompletedProcess[bytes]) -> bool:
    return result.returncode == _SSH_FAILED and any(words in result.stderr for words in _NOT_REACHED)


def _quoted(command: str) -> str:
    return "'" + command.replace("'", "'\\''") + "'"


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
