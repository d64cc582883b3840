"""The machines of a cluster on this computer, on either ground, and the one port that leads to its API."""

import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

from imagegen.lab import forwarding, ground, host, lab, leftovers, wires
from imagegen.lab.machine import Machine
from imagegen.lab.nspawn import NspawnMachine
from imagegen.lab.process import LabError
from imagegen.lab.qemu import QemuMachine, overlay


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A machine to be made: from which disk, with which NoCloud seed."""

    name: str
    disk: Path
    seed: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Where files go, the operator's address beside the machines and one that is nobody's, and where the API is."""

    folder: Path
    operator: IPv4Interface
    spare: IPv4Address
    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """Machines that are not switched on yet; `port` on loopback leads to their API, `roots` are disks to look into."""

    machines: tuple[Machine, ...]
    port: int
    roots: tuple[Path, ...] = ()


@contextmanager
def nspawn(wanted: Sequence[Wanted], around: Surroundings, *, keep: bool = False) -> Iterator[Local]:
    """Machines of this host's kernel, as root; their consoles are in the folder afterwards, and their disks if kept."""
    machines: list[NspawnMachine] = []
    try:
        with (
            lab.opened(around.folder, operator=around.operator) as opened,
            forwarding.forwarded(opened.network.name, around.host, around.port) as port,
        ):
            for each in wanted:
                machine = opened.nspawn(each.name, each.disk)
                machines.append(machine)
                ground.prepare(machine.root, each.seed)
                if keep:
                    # Another name of the same file: the lab takes back its own.
                    os.link(machine.disk, around.folder / machine.disk.name)
            yield Local(machines=tuple(machines), port=port, roots=tuple(machine.root for machine in machines))
    finally:
        for machine in machines:
            if machine.log.exists():
                machine.log.rename(around.folder / machine.log.name)
        for empty in around.folder.glob(f"{leftovers.PREFIX}*"):
            empty.rmdir()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """What virtual machines are made of."""

    accelerator: str
    memory: int


@contextmanager
def qemu(wanted: Sequence[Wanted], around: Surroundings, hardware: Hardware, *, keep: bool = False) -> Iterator[Local]:
    """Virtual machines; disks are beside the consoles and hold only what differs from the baked one."""
    wires.check_version()
    folder = around.folder.resolve()
    sockets = folder / "sockets"
    with ExitStack() as end:
        sockets.mkdir()
        end.callback(shutil.rmtree, sockets)
        log = folder / "network.log"
        end.callback(log.unlink)
        port = end.enter_context(
            wires.wired(sockets, log, operator=around.operator, spare=around.spare, host=around.host, port=around.port)
        )
        machines = []
        for number, each in enumerate(wanted):
            own = folder / f"{each.name}.qcow2"
            if not keep:
                end.callback(own.unlink, missing_ok=True)
            machine = QemuMachine(
                name=each.name,
                number=number,
                disk=overlay(each.disk, own),
                seed=each.seed.resolve(),
                log=folder / f"{each.name}.console",
                sockets=sockets,
                accelerator=hardware.accelerator,
                memory=hardware.memory,
            )
            end.callback(machine.close)
            machines.append(machine)
        yield Local(machines=tuple(machines), port=port)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """A private folder for one run at a time, emptied of what an earlier one left; `LabError` where one is at work."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LabError(f"{folder}: this cluster is up already: end that one first") from None
        _empty(folder)
        yield
    finally:
        os.close(descriptor)


def _empty(folder: Path) -> None:
    if host.is_root() and list(folder.glob(f"{leftovers.PREFIX}*")):
        # Their mounts lie in here.
        leftovers.remove()
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
