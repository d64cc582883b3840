"""A spec as a baked disk: rendered by imagegen, baked by the real Packer, kept in the cache."""

import functools
import hashlib
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from tools import base, bundle, cache
from tools.releases import NEWEST, Release

SUITES = {"debian-12": "bookworm", "debian-13": "trixie"}
RELEASES = tuple(SUITES)
EVIDENCE = ("manifest.json", "report.json", "inventory.json")
_LIMIT = 3600
_PHASES = "Retrieving|Creating CD|Waiting for SSH|Provisioning|Gracefully|Converting|Running post"
BAKE_HOOK = "#!/bin/sh\nset -eu\numask 022\necho baked >/etc/lab-baked\n"
_IMAGEGEN = Path(sys.executable).with_name("imagegen")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What a bake is made from."""

    base: base.Base
    bundle: Path
    packer_folder: Path

    def key(self, fingerprint: str) -> str:
        index = hashlib.sha256((self.bundle / "bundle.json").read_bytes()).hexdigest()
        # The fingerprint is of what goes in; how Packer puts it there may change beside it.
        steps = [file.read_bytes() for file in sorted(self.packer_folder.glob("*.pkr.hcl"))]
        return cache.key(fingerprint, self.base.checksum, index, *steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class BakedImage:
    """A baked and sealed disk, and the emitted folder that it was baked from."""

    disk: Path
    packer_folder: Path
    fingerprint: str
    inputs: Inputs

    @property
    def bundle(self) -> Path:
        return self.inputs.bundle

    @property
    def evidence(self) -> Path:
        """The folder with what the bake wrote beside its templates."""
        return self.disk.parent

    @property
    def cluster_folder(self) -> Path:
        return self.packer_folder.parents[2]

    @property
    def declared(self) -> dict[str, Any]:
        """What the image is declared to hold."""
        read: dict[str, Any] = json.loads((self.packer_folder / "declared.json").read_text(encoding="utf-8"))
        return read

    def wrote(self, name: str) -> Any:
        """One of the JSON files of the evidence."""
        return json.loads((self.evidence / name).read_text(encoding="utf-8"))


def image_section(release: str = RELEASES[0], kubernetes: Release = NEWEST) -> dict[str, object]:
    """The `image` of every spec under test: one and the same, so that one bake serves them all."""
    start = base.base(SUITES[release])
    index = (bundle.bundle(suite=SUITES[release], kubernetes=kubernetes) / "bundle.json").read_bytes()
    return {
        "name": "node",
        "os": release,
        "hooks": [{"name": "mark", "script": BAKE_HOOK}],
        "bundle": {"sha256": hashlib.sha256(index).hexdigest()},
        "qemu": {"source": str(start.disk), "checksum": start.checksum},
    }


def baked_image(
    spec: Path, work: Path, release: str = RELEASES[0], *, kubernetes: Release = NEWEST, anew: bool = False
) -> BakedImage:
    """Render a spec into `work`, and give its image: baked now, or before from the same things unless `anew`."""
    packer_folder = rendered(spec, work)
    variables = json.loads(next(packer_folder.glob("*.auto.pkrvars.json")).read_text())
    fingerprint = variables["image_fingerprint"]
    suite = SUITES[release]
    supplies = bundle.bundle(suite=suite, kubernetes=kubernetes)
    inputs = Inputs(base=base.base(suite), bundle=supplies, packer_folder=packer_folder)
    before = time.monotonic()
    folder = cache.made("baked", inputs.key(fingerprint), functools.partial(bake, inputs), anew=anew)
    disk = folder / "disk.qcow2"
    _say(f"image {fingerprint[:12]} on {release}: {disk.stat().st_size >> 20} MiB, {time.monotonic() - before:.0f} s")
    return BakedImage(disk=disk, packer_folder=packer_folder, fingerprint=fingerprint, inputs=inputs)


def rendered(spec: Path, work: Path) -> Path:
    """Render a spec into `work` with secrets of its own, and give the folder for Packer."""
    secrets, out = work / "secrets.yaml", work / "out"
    if not secrets.exists():
        _imagegen("secrets", "new", spec, "--secrets", secrets)
    _imagegen("render", spec, "--secrets", secrets, "--out", out)
    return next(out.glob("*/images/*/packer"))


def bake(inputs: Inputs, folder: Path) -> None:
    """Run Packer on a copy of the emitted folder: disk.qcow2 and the evidence are in `folder` then."""
    copy = folder / "packer"
    # Packer 1.6.6 rejects required_plugins; it has the builders built in.
    shutil.copytree(inputs.packer_folder, copy, ignore=shutil.ignore_patterns("plugins.*"))
    variables = {
        "bundle_dir": inputs.bundle,
        "output_dir": folder / "output",
        "qemu_accelerator": "tcg",
        "qemu_base_checksum": inputs.base.checksum,
        "qemu_base_url": inputs.base.disk,
        "qemu_compress": "false",
    }
    arguments = [word for name, value in variables.items() for word in ("-var", f"{name}={value}")]
    command = ["packer", "build", "-color=false", "-timestamp-ui", "-only=imagegen.qemu.node", *arguments, "."]
    _run_packer(command, copy, folder)
    next((folder / "output").iterdir()).rename(folder / "disk.qcow2")
    for name in EVIDENCE:
        (copy / name).rename(folder / name)
    shutil.rmtree(copy)
    (folder / "output").rmdir()


def _run_packer(command: list[str], copy: Path, folder: Path) -> None:
    scratch = folder / "scratch"
    scratch.mkdir()
    own = {"CHECKPOINT_DISABLE": "1", "PACKER_CACHE_DIR": str(scratch / "cache"), "TMPDIR": str(scratch)}
    log = folder / "bake.log"
    with log.open("w") as output:
        packer = subprocess.Popen(
            command, cwd=copy, env=os.environ | own, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            code = packer.wait(_LIMIT)
        except BaseException:
            # Packer ends its machine when it is interrupted; killed, it would leave it running.
            packer.send_signal(signal.SIGINT)
            packer.wait(120)
            raise
    shutil.rmtree(scratch)
    for line in _phases(log.read_text()):
        _say(line)
    if code != 0:
        tail = "\n".join(log.read_text().splitlines()[-40:])
        raise RuntimeError(f"packer build failed with {code}:\n{tail}")


def _phases(log: str) -> list[str]:
    starts = [
        (datetime.fromisoformat(found[1]), found[2].rpartition("/")[2])
        for found in re.finditer(rf"^(\S+Z): ==> \S+: ((?:{_PHASES}).*)$", log, re.MULTILINE)
    ]
    return [
        f"bake: {(later - start).total_seconds():4.0f} s  {name}"
        for (start, name), (later, _) in itertools.pairwise(starts)
    ]


def _imagegen(*arguments: str | Path) -> None:
    subprocess.run([_IMAGEGEN, *arguments], check=True, stdout=subprocess.DEVNULL)


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201
