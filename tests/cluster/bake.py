"""The disk under test: baked by Packer, or, for a quick look only, by the same scripts in an nspawn machine."""

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path

from imagegen.lab import lab
from imagegen.lab.nspawn import NspawnMachine
from tests.cluster import ground, site
from tests.cluster.kubectl import until
from tests.support.bake import baked_image, image_section
from tools.base import base
from tools.bundle import bundle

QUICK = os.environ.get("IMAGEGEN_BAKE") == "nspawn"
BUILDER = "nspawn" if QUICK else "qemu"
WORK = Path("var/tmp/imagegen")
# The host's kernel has no modules to load for a container: the service is skipped, the check left out.
WITHOUT_MODULES = (
    "mkdir -p /run/systemd/system/systemd-modules-load.service.d"
    " && printf '[Unit]\\nConditionPathExists=/no-modules-here\\n'"
    " > /run/systemd/system/systemd-modules-load.service.d/lab.conf && systemctl daemon-reload"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Baked:
    """A disk, the site that it was baked for, and what its stamp must say."""

    disk: Path
    site: site.Site
    fingerprint: str
    bundle_sha256: str


def bake(folder: Path) -> Baked:
    """Render the lab's spec and bake its image."""
    assert not (QUICK and os.environ.get("CI")), "in CI the disk under test is Packer's"
    start, supplies = base(), bundle()
    sha256 = hashlib.sha256((supplies / "bundle.json").read_bytes()).hexdigest()
    made = site.make(folder, image_section())
    made.render()
    (packer,) = made.rendered.glob("images/*/packer")
    stamp = json.loads((packer / "files/etc/imagegen/image.json").read_text(encoding="utf-8"))
    baked = _in_nspawn(packer, supplies, start.disk, folder) if QUICK else _by_packer(made.spec, folder)
    return Baked(disk=baked, site=made, fingerprint=stamp["fingerprint"], bundle_sha256=sha256)


def _by_packer(spec: Path, folder: Path) -> Path:
    return baked_image(spec, folder).disk


def _in_nspawn(packer: Path, supplies: Path, start: Path, folder: Path) -> Path:
    raw = folder / "baked.raw"
    with lab.opened(folder, operator=IPv4Interface("10.79.0.1/24")) as opened:
        machine = opened.nspawn("bake", start)
        fstab = (machine.root / "etc/fstab").read_text(encoding="utf-8")
        ground.apply(machine.root)
        (machine.root / "etc/cloud/cloud-init.disabled").touch()
        _upload(packer, supplies, machine.root / WORK)
        machine.start()
        _run_scripts(packer, machine)
        machine.stop()
        ground.take_back(machine.root)
        (machine.root / "etc/fstab").write_text(fstab, encoding="utf-8")
        machine.disk.rename(raw)
    return raw


def _upload(packer: Path, supplies: Path, work: Path) -> None:
    for name in ("files", "hooks", "verify", "scripts"):
        shutil.copytree(packer / name, work / name)
    shutil.copytree(supplies, work / "bundle")
    shutil.copyfile(packer / "image.env", work / "image.env")
    declared = json.loads((packer / "declared.json").read_text(encoding="utf-8"))
    (work / "declared.json").write_text(json.dumps(declared | {"modules": []}), encoding="utf-8")


def _run_scripts(packer: Path, machine: NspawnMachine) -> None:
    until("the end of the boot", lambda: _has_booted(machine), limit=120)
    machine.shell(WITHOUT_MODULES)
    for script in sorted(packer.glob("scripts/*.sh")):
        machine.shell(f"PACKER_BUILDER_TYPE={BUILDER} bash /{WORK}/scripts/{script.name}", timeout=600)


def _has_booted(machine: NspawnMachine) -> bool:
    return machine.shell("systemctl is-system-running", check=False).stdout.strip() in {"running", "degraded"}
