"""The network of QEMU machines: a switch, and a way from this host to their API; it takes no rights."""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

from imagegen.lab import accelerators, switch
from imagegen.lab.process import LabError, run
from imagegen.lab.qemu import await_path, started

OLDEST = (7, 2)
"""The first QEMU with `-netdev stream` (its changelog of 7.2)."""


def check_version() -> None:
    """Refuse a QEMU that cannot be plugged in."""
    said = run(accelerators.program(), "--version").stdout
    found = re.search(r"version (\d+)\.(\d+)", said)
    if not found or (int(found[1]), int(found[2])) < OLDEST:
        raise LabError(
            f"QEMU {'.'.join(map(str, OLDEST))} or newer is needed, and this one says: {said.splitlines()[0]}"
        )


@contextmanager
def wired(
    sockets: Path, log: Path, *, operator: IPv4Interface, spare: IPv4Address, host: str, port: int
) -> Iterator[int]:
    """A switch whose sockets are in a folder, and the number of the port on loopback that leads to `host`:`port`.

    `operator` is this host's address beside the machines, `spare` one that nobody has: QEMU's name server's, which does
    not answer.
    """
    own = _free_port()
    with ExitStack() as end, log.open("ab") as said:
        # Its standard input is a pipe from here: it ends with this process, however that ends.
        bridge = subprocess.Popen(
            [sys.executable, "-I", switch.__file__],
            cwd=sockets,
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        end.callback(_end, bridge)
        await_path(sockets / switch.WAY, bridge)
        way = started(way_command(operator=operator, spare=spare, forward=(own, host, port)), said, sockets)
        end.callback(_end, way)
        yield own


def way_command(*, operator: IPv4Interface, spare: IPv4Address, forward: tuple[int, str, int]) -> list[str]:
    """A QEMU without a machine: its user network, plugged into the switch, with nothing but the way in."""
    own, host, port = forward
    network = f"net={operator.network},host={operator.ip},dns={spare},restrict=on"
    return [
        accelerators.program(), "-machine", "none", "-nodefaults", "-no-user-config", "-display", "none",
        "-netdev", f"user,id=inside,{network},hostfwd=tcp:127.0.0.1:{own}-{host}:{port}",
        "-netdev", "hubport,id=first,hubid=0,netdev=inside",
        "-netdev", f"stream,id=cable,server=off,addr.type=unix,addr.path={switch.WAY}",
        "-netdev", "hubport,id=second,hubid=0,netdev=cable",
    ]  # fmt: skip


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()
