"""Machines that are started, followed until their nodes are Ready, and ended."""

from __future__ import annotations

import gc
import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import typer

from imagegen import assets, diagnosis
from imagegen.cli.booting import Ready, compare
from imagegen.cli.codes import FINDINGS
from imagegen.cli.diagnosed import show_diagnosis
from imagegen.cli.followed import Run, knowledge
from imagegen.console import complain, say, show_table
from imagegen.lab import accelerators, local
from imagegen.lab.api import Api
from imagegen.lab.local import Local
from imagegen.live import Board
from imagegen.output import write_private
from imagegen.secrets.kubeconfig import make_kubeconfig

if TYPE_CHECKING:
    from imagegen.bundle import Bundle

NSPAWN = "nspawn"
_USUAL, _EMULATED = 900, 3600
_PAUSE = 1.0
_ENDING = (signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How the user wants it."""

    ground: str
    memory: int
    accelerator: str
    timeout: int | None
    keep: bool
    now: datetime


def bring_up(ready: Ready, bundle: Bundle, wishes: Wishes) -> None:
    """Start the machines, and hold them once their nodes are Ready; ends the program where they do not get there."""
    # The program works without a search for garbage, which a long run needs.
    gc.enable()
    with local.held(ready.folder), _ended_alike():
        is_ready = False
        try:
            with _ground(ready, wishes) as (raised, limit):
                try:
                    run = _begin(ready, bundle, raised, wishes)
                    is_ready = _follow(run, wishes, limit)
                    if is_ready:
                        _tell(run, ready, wishes)
                        _hold(run)
                finally:
                    # Once is enough: the end of machines takes a moment, and must not be cut off.
                    for number in (signal.SIGINT, *_ENDING):
                        signal.signal(number, signal.SIG_IGN)
        except KeyboardInterrupt:
            if not is_ready:
                raise
        finally:
            _clear(ready, wishes, failed=not is_ready)
    if not is_ready:
        _explain(ready)


@contextmanager
def _ended_alike() -> Iterator[None]:
    """To be told to end, or to lose the terminal, is a Ctrl-C."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in _ENDING}
    interrupted = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        for number, handler in {**before, signal.SIGINT: interrupted}.items():
            signal.signal(number, handler)


@contextmanager
def _ground(ready: Ready, wishes: Wishes) -> Iterator[tuple[Local, int]]:
    """The machines, and the seconds that they may take."""
    lineup = ready.lineup
    around = local.Surroundings(
        folder=ready.folder, operator=lineup.operator, spare=lineup.spare, host=lineup.host, port=lineup.port
    )
    if wishes.ground == NSPAWN:
        say(f"{_count(ready)} of systemd-nspawn from {_disks(ready)}")
        with local.nspawn(ready.wanted, around, keep=wishes.keep) as raised:
            yield raised, wishes.timeout or _USUAL
        return
    accelerator = wishes.accelerator or _accelerator(ready)
    say(f"{_count(ready)} of QEMU ({accelerator}) from {_disks(ready)}")
    hardware = local.Hardware(accelerator=accelerator, memory=wishes.memory)
    with local.qemu(ready.wanted, around, hardware, keep=wishes.keep) as raised:
        yield raised, wishes.timeout or (_EMULATED if accelerator == accelerators.EMULATED else _USUAL)


def _accelerator(ready: Ready) -> str:
    chosen = accelerators.choose(ready.wanted[0].disk)
    if chosen == accelerators.EMULATED:
        quick = accelerators.quick() or "no accelerator"
        complain(f"{quick} does not carry a machine here: they are emulated, 10 to 20 times slower")
        complain("first boot takes minutes then, and a cluster may take longer than kubeadm's own limits allow")
    return chosen


def _count(ready: Ready) -> str:
    number = len(ready.wanted)
    return f"{number} machine{'s' if number > 1 else ''}"


def _disks(ready: Ready) -> str:
    return ", ".join(dict.fromkeys(str(each.disk) for each in ready.wanted))


def _begin(ready: Ready, bundle: Bundle, raised: Local, wishes: Wishes) -> Run:
    _compare_stamps(ready, raised)
    text = make_kubeconfig(
        bundle,
        f"127.0.0.1:{raised.port}",
        ready.rendering.plan.admin_group,
        wishes.now,
        server_name=ready.lineup.host,
    )
    write_private(_kubeconfig(ready), text)
    run = Run(ready=ready, local=raised, api=Api.of_kubeconfig(text), known=knowledge())
    run.start()
    return run


def _compare_stamps(ready: Ready, raised: Local) -> None:
    """Where the disks can be looked into, they must be of the images that the spec asks for."""
    for member, root in zip(ready.lineup.members, raised.roots, strict=False):
        stamp = root / "etc/imagegen/image.json"
        baked = json.loads(stamp.read_text(encoding="utf-8"))["fingerprint"] if stamp.is_file() else ""
        compare(f"{member.name}'s disk", member.image, baked, ready.rendering.fingerprints[member.image])


def _follow(run: Run, wishes: Wishes, limit: int) -> bool:
    """Show how far everyone is, until all are Ready, one will never be, or the time is over."""
    end = time.monotonic() + limit
    with Board() as board:
        while time.monotonic() < end:
            run.look()
            for member in run.ready.lineup.members:
                seen = run.shown(member.name)
                board.show(member.name, (wishes.ground, seen.phase, seen.status, seen.reason))
            if run.is_ready or run.is_over:
                return run.is_ready
            time.sleep(_PAUSE)
    complain(f"not all nodes are Ready after {limit} s; `--timeout` gives them longer")
    return False


def _tell(run: Run, ready: Ready, wishes: Wishes) -> None:
    rows = []
    for member in ready.lineup.members:
        node, started = run.node(member.name), run.started[member.name]
        if node and node.ready:
            times = (f"{node.joined - started:.0f} s", f"{node.ready - started:.0f} s")
            rows.append((node.name, member.role, str(member.address.ip), *times, node.version))
    show_table(("node", "role", "address", "joined", "Ready", "kubelet"), rows, right=("joined", "Ready"))
    say(f"kubectl --kubeconfig {_kubeconfig(ready)} get nodes")
    stays = "stay" if wishes.keep else "go"
    say(f"The machines run until Ctrl-C; their disks and the kubeconfig {stays} then.")


def _hold(run: Run) -> None:
    gone: set[str] = set()
    while True:
        for machine in run.local.machines:
            if not machine.is_running and machine.name not in gone:
                gone.add(machine.name)
                complain(f"{machine.name}: the machine has ended by itself")
        time.sleep(_PAUSE)


def _clear(ready: Ready, wishes: Wishes, *, failed: bool) -> None:
    if wishes.keep:
        say(f"kept: {ready.folder}")
        return
    _kubeconfig(ready).unlink(missing_ok=True)
    consoles = _consoles(ready)
    if failed and consoles:
        say(f"consoles: {' '.join(str(path) for path in consoles)}")
        return
    for path in consoles:
        path.unlink()
    ready.folder.rmdir()


def _consoles(ready: Ready) -> list[Path]:
    paths = (ready.folder / f"{each.name}.console" for each in ready.wanted)
    return [path for path in paths if path.exists()]


def _kubeconfig(ready: Ready) -> Path:
    return ready.folder / "kubeconfig"


def _explain(ready: Ready) -> None:
    """What `imagegen diagnose` says of the consoles."""
    files = [(str(path), path.read_bytes()) for path in _consoles(ready)]
    show_diagnosis(diagnosis.diagnose(files, assets.phases(), knowledge()))
    raise typer.Exit(FINDINGS)
