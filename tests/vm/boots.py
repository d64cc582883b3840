"""The sealed disk as two machines at the same time: looked at, one of them rebooted and looked at again."""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, TypeVar

from tests.cluster.mutations import wrong
from tests.support import bake, guest, timeserver
from tests.support.guest import Guest

T = TypeVar("T")
FIRST, SECOND = "worker1", "worker2"
ADDRESSES = {FIRST: "192.168.76.21", SECOND: "192.168.76.22"}
# The spec's time server, and a time from before the image, the certificates and systemd.
TIME_SERVER, LONG_AGO = IPv4Address("192.168.76.1"), "2020-01-01T00:00:00"
USER = "vmtest"
_LIMIT = 900
INSIDE = Path(__file__).with_name("inside.py")
DROPPING = Path(__file__).with_name("dropping.py")
KERNEL = ("modules", "sysctls")
_PLACE = "/run/imagegen-test"
_SETTLED = """
cloud-init status --wait || true
for _ in $(seq 120); do
    ! journalctl --boot --unit=imagegen-bootstrap --output=cat | grep -q phase=endpoint || break
    sleep 1
done
"""
# As user-data of another imagegen would have it.
_OTHER_CONTRACT = """
set -e
sed -i 's/"contract": *[0-9]*/"contract": 1/' /etc/imagegen/node.json
systemctl restart --no-block imagegen-bootstrap.service
for _ in $(seq 60); do
    ! grep -q contract-mismatch /var/lib/imagegen/status.json || break
    sleep 1
done
cat /var/lib/imagegen/status.json
"""


def observe(image: bake.BakedImage, key: Path, work: Path) -> dict[str, Any]:
    """Boot it twice, and give what was seen: `first` and `second`, `rebooted`, `refused`, `dropped`, the seconds."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        second = pool.submit(_second, image, key, work)
        return {**_first(image, key, work), **second.result()}


def _first(image: bake.BakedImage, key: Path, work: Path) -> dict[str, Any]:
    with _machine(image, FIRST, key, work) as machine:
        login = machine.wait_for_ssh(_LIMIT)
        settled = _settle(machine)
        first, looked = _timed(lambda: _look(machine, image, "--run"))
        again = machine.reboot(_LIMIT)
        settled_again = _settle(machine)
        rebooted = _look(machine, image)
        seconds = {"login": login, "cloud-init": settled, "looked at": looked, "reboot": again + settled_again}
        return {"first": first, "rebooted": rebooted, "seconds": seconds, "console": _console(machine)}


def _second(image: bake.BakedImage, key: Path, work: Path) -> dict[str, Any]:
    wire = work / "wire"
    with (
        timeserver.listening(wire, TIME_SERVER) as server,
        _machine(image, SECOND, key, work, clock=LONG_AGO, wire=wire) as machine,
    ):
        clock = _set_late(machine, server)
        machine.wait_for_ssh(_LIMIT)
        _settle(machine)
        second = _inside(machine)
        refused = json.loads(machine.run(_OTHER_CONTRACT, limit=_LIMIT))
        left = machine.run("systemctl is-active kubelet; ls /etc/kubernetes/*.conf", check=False)
        console = _console(machine)
        dropped = _drop(machine, image)
        contract = {"status": refused, "console": console, "left": left}
        return {"second": second, "refused": contract, "dropped": dropped, "clock": clock}


def _set_late(machine: Guest, server: timeserver.TimeServer) -> dict[str, Any]:
    """Let the time server answer as soon as first boot waits for it; consoles of the wait, and of what came then."""
    waiting = _heard(machine, "reason=clock-behind")
    asked_in_vain = server.asked
    server.answers.set()
    went_on, seconds = _timed(lambda: _heard(machine, "phase=settle status=ok"))
    return {"waiting": waiting, "askedInVain": asked_in_vain, "wentOn": went_on, "seconds": seconds}


def _heard(machine: Guest, words: str) -> str:
    """The console, as soon as it has the words."""
    end = time.monotonic() + _LIMIT
    while words not in (console := _console(machine)):
        assert time.monotonic() < end, f"not within {_LIMIT} s: {words}\n{console[-3000:]}"
        time.sleep(0.5)
    return console


@contextmanager
def _machine(
    image: bake.BakedImage, name: str, key: Path, work: Path, *, clock: str = "", wire: Path | None = None
) -> Iterator[Guest]:
    seed, address = image.cluster_folder / "nocloud" / name, ADDRESSES[name]
    with guest.booted(image.disk, seed, work, address=address, user=USER, key=key, clock=clock, wire=wire) as machine:
        yield machine


def _settle(machine: Guest) -> float:
    """Wait for cloud-init's end, and until first boot waits for what does not come."""
    return _timed(lambda: machine.run(_SETTLED, limit=_LIMIT))[1]


def _look(machine: Guest, image: bake.BakedImage, *options: str) -> dict[str, Any]:
    """What is seen inside, and what the bake's own checks say of the machine now."""
    folder = image.packer_folder
    machine.run(f"mkdir -p {_PLACE} && tar -x -C {_PLACE}", stdin=_packed(folder / "verify", folder / "declared.json"))
    machine.run(f"python3 -B {_PLACE}/verify image {_PLACE}/declared.json {_PLACE}/report.json", limit=_LIMIT)
    report = json.loads(machine.run(f"cat {_PLACE}/report.json"))
    return {**_inside(machine, *options), "report": report}


def _drop(machine: Guest, image: bake.BakedImage) -> dict[str, Any]:
    """Names of the red checks by kind and by what was dropped."""
    declared = image.declared
    of_the_kernel = {kind: _kept(kind, value) for kind, value in declared.items()}
    wrongs = {key: wrong(value) for key, value in declared["sysctls"].items()}
    request = machine.console.with_name("request.json")
    request.write_text(json.dumps({"declared": of_the_kernel, "wrong": wrongs}))
    packed = _packed(image.packer_folder / "verify", DROPPING, request)
    machine.run(f"mkdir -p {_PLACE} && tar -x -C {_PLACE}", stdin=packed)
    dropped: dict[str, Any] = json.loads(machine.run(f"python3 -B {_PLACE}/{DROPPING.name}", limit=_LIMIT))
    return dropped


def _kept(kind: str, value: Any) -> Any:
    """What is declared of the kernel; of other kinds nothing."""
    return value if kind in KERNEL or isinstance(value, str) else type(value)()


def _inside(machine: Guest, *options: str) -> dict[str, Any]:
    command = f"python3 -B - {' '.join(options)}"
    seen: dict[str, Any] = json.loads(machine.run(command, stdin=INSIDE.read_bytes(), limit=_LIMIT))
    return seen


def _packed(*paths: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in paths:
            archive.add(path, arcname=path.name)
    return buffer.getvalue()


def _console(machine: Guest) -> str:
    return machine.console.read_text(errors="replace")


def _timed(do: Callable[[], T]) -> tuple[T, float]:
    before = time.monotonic()
    return do(), time.monotonic() - before
