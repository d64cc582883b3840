"""Try a change of a bake script: an image's scripts and checks in an nspawn machine, in less than a minute."""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any

import yaml

from imagegen.lab import lab
from imagegen.lab.process import LabError
from tools import base, nspawn_bake
from tools.bundle import bundle

SUITES = {"debian-12": "bookworm", "debian-13": "trixie"}
"""Release of Debian by the name that specs have for it."""
_OPERATOR = IPv4Interface("10.79.0.1/24")
_IMAGEGEN = Path(sys.executable).with_name("imagegen")
_OUT = Path("out/bake-local")


def main() -> int:
    """Bake an image of a spec here, and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("spec", nargs="?", type=Path, default=Path("examples/quickstart.yaml"))
    parser.add_argument("--image", help="name of the image, where the spec has several")
    parser.add_argument("--bundle", type=Path, help="offline bundle; without: the one that the machine tests use")
    parser.add_argument("--out", type=Path, default=_OUT, help="folder for the disk and the report")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="imagegen-bake-local-") as scratch:
        packer = _folder(arguments.spec, arguments.image, Path(scratch))
        suite = suite_of(packer)
        start, supplies = base.base(suite), arguments.bundle or bundle(suite=suite)
        arguments.out.mkdir(parents=True, exist_ok=True)
        return _bake(packer, start.disk, supplies.resolve(), arguments.out.resolve())


def offline(spec: Path, scratch: Path) -> Path:
    """A spec whose own image comes from a bundle, for the machine has no network: that one, or a copy changed so."""
    documents = list(yaml.safe_load_all(spec.read_text(encoding="utf-8")))
    images = [each.get("image", each if each.get("kind") == "Image" else None) for each in documents]
    changed = [image for image in images if isinstance(image, dict) and "bundle" not in image]
    if not changed or any("extends" in each for each in documents):
        return spec
    for image in changed:
        image["source"] = "bundle"
    copy = scratch / "spec.yaml"
    copy.write_text(yaml.safe_dump_all(documents, sort_keys=False), encoding="utf-8")
    return copy


def rendered(spec: Path, scratch: Path) -> Path:
    """Render a spec, with secrets made for this once, into a folder of its own; give its folder of images."""
    secrets, spec = scratch / "secrets.yaml", offline(spec, scratch)
    for words in (("secrets", "new"), ("render", "--out", scratch / "out")):
        command = [_IMAGEGEN, *words, spec, f"--secrets={secrets}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return next((scratch / "out").glob("*/images"))


def _folder(spec: Path, image: str | None, scratch: Path) -> Path:
    folders = {path.parent.name: path for path in rendered(spec, scratch).glob("*/packer")}
    if image is None and len(folders) == 1:
        (image,) = folders
    if image not in folders:
        sys.exit(f"--image is one of: {', '.join(sorted(folders))}")
    if "SOURCE=bundle\n" not in (folders[image] / "image.env").read_text(encoding="utf-8"):
        sys.exit(f"the image {image} does not come from a bundle, and the machine has no network: image.source: bundle")
    return folders[image]


def suite_of(packer: Path) -> str:
    """Debian's own name of the release that an emitted folder is for; the program ends where there is no base of it."""
    variables = json.loads(next(packer.glob("*.auto.pkrvars.json")).read_text(encoding="utf-8"))
    name = variables["os"]
    if name not in SUITES:
        sys.exit(f"{name} cannot be baked here; there are bases of {', '.join(SUITES)}")
    return SUITES[name]


def _bake(packer: Path, disk: Path, supplies: Path, out: Path) -> int:
    declared = json.loads((packer / "declared.json").read_text(encoding="utf-8"))
    print(*left_out(declared), sep="\n", flush=True)
    started = time.monotonic()
    raw, report = out / "disk.raw", out / "report.json"
    for old in (raw, report):
        old.unlink(missing_ok=True)
    with lab.opened(out, operator=_OPERATOR) as opened:
        bake = nspawn_bake.prepared(opened, "bake", base=disk, bundle=supplies, packer=packer)
        bake.boot()
        failure = _run(bake, report)
        bake.finish(raw)
    shutil.rmtree(opened.folder, ignore_errors=True)
    state = "sealed" if nspawn_bake.SEAL in bake.seconds and not failure else "NOT sealed"
    print(f"{time.monotonic() - started:6.1f} s  all\ndisk ({state}): {raw}\nreport: {report}", flush=True)
    return judge(report, failure)


def _run(bake: nspawn_bake.NspawnBake, report: Path) -> str:
    """Run every script, a line each; give what the one that failed said."""
    for step, seconds in bake.seconds.items():
        print(f"{seconds:6.1f} s  {step}", flush=True)
    for script in bake.scripts():
        failure = ""
        try:
            bake.run(script)
        except LabError as error:
            failure = str(error)
        print(f"{bake.seconds[script]:6.1f} s  {script}{'  FAILED' if failure else ''}", flush=True)
        if (bake.machine.root / nspawn_bake.REPORT).exists():
            report.write_text(json.dumps(bake.report(), indent=2) + "\n", encoding="utf-8")
        if failure:
            return failure
    return ""


def left_out(declared: dict[str, Any]) -> list[str]:
    """What a bake here does not show, a line each."""
    return [
        "an nspawn machine: the userland is the image's, the kernel is this machine's; left out are",
        *(f"  {kind}, {len(declared[kind])} declared: {' '.join(declared[kind])}" for kind in nspawn_bake.LEFT_OUT),
        "  vendors' repositories and mirrors: everything comes from the bundle",
        "  Packer, its seed and its build user; cloud-init; the boot loader",
    ]


def judge(report: Path, failure: str) -> int:
    """Say how many checks there were, and what failed; the exit code."""
    if report.exists():
        checks = json.loads(report.read_text(encoding="utf-8"))["checks"]
        print(f"checks: {len(checks)}, failed: {sum(not check['passed'] for check in checks)}")
    if failure:
        print(failure, file=sys.stderr)
    return 1 if failure else 0


if __name__ == "__main__":
    sys.exit(main())
