"""Machines in trouble while they install themselves: the real installer, run into each reason that it knows."""

from __future__ import annotations

import json
import lzma
import time
from contextlib import suppress
from typing import NoReturn

import bring
from installing.program import run as install

from tests.diagnosis.scene import Recording, Scene, trouble
from tests.firstboot.machine import TimeIsUp
from tests.stock.test_install import Machine as StockMachine
from tests.support.web import serving


def _installed(scene: Scene, **scripts: str) -> Recording:
    """A machine that installs itself, as far as it comes in ten minutes."""
    machine = StockMachine(scene.folder / "stock")
    for name, body in scripts.items():
        machine.script(name.replace("_", "-"), body)
    machine.clock.end = 600
    with suppress(TimeIsUp):
        install(machine.paths, machine.clock, machine.work)
    return Recording(lines=machine.console, status=machine.status)


@trouble("baked-already")
def _(scene: Scene) -> Recording:
    machine = StockMachine(scene.folder / "stock")
    stamp = {"fingerprint": "f" * 64, "builtBy": {"builder": "qemu"}}
    machine.write("/etc/imagegen/image.json", json.dumps(stamp))
    assert machine.boot() == 0
    return Recording(lines=machine.console, status=machine.status)


@trouble("install-failed")
def _(scene: Scene) -> Recording:
    return _installed(scene, **{"30_second": "echo 'E: Unable to locate package jq' >&2; exit 100"})


@trouble("machine-mismatch")
def _(scene: Scene) -> Recording:
    machine = StockMachine(scene.folder / "stock")
    machine.write("/etc/os-release", 'ID=debian\nVERSION_ID="13"\n')
    machine.boot()
    return Recording(lines=machine.console, status=machine.status)


@trouble("verify-failed")
def _(scene: Scene) -> Recording:
    return _installed(scene, **{"85_require_verified": "echo 'verify: package jq: wanted installed' >&2; exit 1"})


def _brought(scene: Scene, name: str) -> Recording:
    """A machine that downloads what it is installed with, until its first pause."""
    root = scene.folder / "loading"
    for folder in ("dev", "var/lib/imagegen"):
        (root / folder).mkdir(parents=True)
    (root / "dev/console").touch()

    def over(_: float) -> NoReturn:
        raise TimeIsUp

    scene.patch.setattr(time, "sleep", over)
    with serving() as web:
        web.files["/payload"] = lzma.compress(b"another")
        with suppress(TimeIsUp):
            bring.bring(root, {"url": f"{web.url}/{name}", "sha256": "0" * 64})
    status = json.loads((root / "var/lib/imagegen/status.json").read_text())
    return Recording(lines=(root / "dev/console").read_text().splitlines(), status=status)


@trouble("payload-refused")
def _(scene: Scene) -> Recording:
    return _brought(scene, "payload")


@trouble("payload-unreachable")
def _(scene: Scene) -> Recording:
    return _brought(scene, "absent")
