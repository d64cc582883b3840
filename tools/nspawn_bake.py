"""A bake without Packer: an emitted folder's own scripts and checks, run in an nspawn machine made from a base disk."""

import json
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imagegen.lab import ground
from imagegen.lab.lab import Lab
from imagegen.lab.nspawn import NspawnMachine
from imagegen.lab.process import LabError

WORK = "var/tmp/imagegen"
REPORT = "var/lib/imagegen-build/report.json"
DISC = "/run/imagegen-disc"
"""Where the scripts look for the bundle's disc; the machine cannot write to it."""
LEFT_OUT = ("modules",)
"""Kinds of declared.json that say something of a kernel, and the machine has the host's."""
SEAL = "90-seal-image.sh"
_UPLOADED = ("files", "hooks", "verify", "scripts", "image.env", "lock.json")
# A container's kernel is the host's, which lets nobody load a module: the service is skipped.
_WITHOUT_MODULES = (
    "mkdir -p /run/systemd/system/systemd-modules-load.service.d"
    " && printf '[Unit]\\nConditionPathExists=/no-modules-here\\n'"
    " > /run/systemd/system/systemd-modules-load.service.d/lab.conf && systemctl daemon-reload"
)
_BOOT_LIMIT = 120


@dataclass(slots=True, kw_only=True)
class NspawnBake:
    """A machine that is being baked, script by script."""

    machine: NspawnMachine
    fstab: str
    seconds: dict[str, float] = field(default_factory=dict)
    """How long each step took, in the order that they were made."""

    def boot(self) -> None:
        """Switch the machine on, and wait until its boot is over."""
        started = time.monotonic()
        self.machine.start()
        _await_boot(self.machine)
        self.machine.shell(_WITHOUT_MODULES)
        self.seconds["boot"] = time.monotonic() - started

    def scripts(self) -> list[str]:
        """Names of the scripts that are not run yet, in order."""
        folder = self.machine.root / WORK / "scripts"
        names = (path.name for path in sorted(folder.glob("*.sh")))
        return [name for name in names if name not in self.seconds]

    def run(self, script: str) -> None:
        """Run one of the scripts; what it said is in the error where it fails."""
        started = time.monotonic()
        try:
            self.machine.shell(f"PACKER_BUILDER_TYPE=nspawn bash /{WORK}/scripts/{script}", timeout=600)
        finally:
            self.seconds[script] = time.monotonic() - started

    def run_until(self, last: str) -> None:
        """Run all scripts up to the first one whose name starts with `last`, and that one too."""
        for script in self.scripts():
            self.run(script)
            if script.startswith(last):
                return

    def report(self) -> dict[str, Any]:
        """The report of the checks, which the seal removes."""
        found: dict[str, Any] = json.loads((self.machine.root / REPORT).read_text(encoding="utf-8"))
        return found

    def finish(self, raw: Path) -> Path:
        """Switch the machine off, and give its disk away as the file `raw`."""
        self.machine.stop()
        ground.take_back(self.machine.root)
        (self.machine.root / "etc/fstab").write_text(self.fstab, encoding="utf-8")
        self.machine.disk.rename(raw)
        return raw


def prepared(lab: Lab, name: str, *, base: Path, bundle: Path | None, packer: Path) -> NspawnBake:
    """A machine of a lab made from a base disk, with an emitted folder in its place and a bundle on its disc, if any.

    It is not switched on yet; it stays a machine of the lab, and ends with that.
    """
    started = time.monotonic()
    machine = lab.nspawn(name, base, read_only={DISC: bundle} if bundle else {})
    fstab = (machine.root / "etc/fstab").read_text(encoding="utf-8")
    ground.apply(machine.root)
    (machine.root / "etc/cloud/cloud-init.disabled").touch()
    upload(packer, machine.root)
    return NspawnBake(machine=machine, fstab=fstab, seconds={"disk": time.monotonic() - started})


def upload(packer: Path, root: Path) -> None:
    """Put what Packer would upload below a machine's root, its checks without what is left out."""
    work = root / WORK
    work.mkdir(parents=True)
    for name in _UPLOADED:
        source = packer / name
        if source.exists():
            (shutil.copytree if source.is_dir() else shutil.copyfile)(source, work / name)
    declared = json.loads((packer / "declared.json").read_text(encoding="utf-8"))
    kept = declared | {kind: type(declared[kind])() for kind in LEFT_OUT}
    (work / "declared.json").write_text(json.dumps(kept), encoding="utf-8")


def _await_boot(machine: NspawnMachine) -> None:
    """Wait until systemd has no job left; that one of its units failed does not matter here."""
    limit = time.monotonic() + _BOOT_LIMIT
    while time.monotonic() < limit:
        with suppress(LabError):
            said = machine.shell("systemctl is-system-running", check=False).stdout.strip()
            if said in {"running", "degraded"}:
                return
        time.sleep(0.1)
    raise LabError(f"{machine.name}: no end of the boot; its console ends so:\n{machine.console()[-2000:]}")
