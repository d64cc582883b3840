"""Whether this is the machine that the files are for, and what of them it wants otherwise."""

from __future__ import annotations

import json
import platform
import shlex
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

from bootstrap import files
from bootstrap.failures import Final
from bootstrap.paths import Paths

STAMP = "etc/imagegen/image.json"
BUILDER = "stock"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def is_baked(paths: Paths, work: Path) -> bool:
    """Whether it booted an image that holds all of this already."""
    found, wanted = files.read_json(paths.image), files.read_json(work / "files" / STAMP)
    # One of our own may be half done: the stamp is written in the middle.
    baked = found.get("builtBy", {}).get("builder", BUILDER) != BUILDER
    return baked and found.get("fingerprint") == wanted.get("fingerprint")


def check(paths: Paths, work: Path) -> None:
    """Stops for good on another system or another architecture than the files are for."""
    wanted = files.read_json(work / "files" / STAMP)
    system = _system(paths)
    if system != wanted["os"] and not system.startswith(f"{wanted['os']}."):
        raise Final("machine-mismatch", f"this machine is {system}, and its user-data installs {wanted['os']}")
    machine = platform.machine()
    architecture = _ARCHITECTURES.get(machine, machine)
    if architecture != wanted["architecture"]:
        needed = wanted["architecture"]
        raise Final("machine-mismatch", f"this machine is {architecture}, and its user-data installs {needed}")


def adapt(work: Path, kept: Iterable[str]) -> None:
    """Leaves the files alone that user-data wrote in our place, and declares the rest as they lie here."""
    declared: dict[str, Any] = files.read_json(work / "declared.json")
    for path in kept:
        _source(work, path).unlink()
        del declared["files"][path]
    for path, file in declared["files"].items():
        if file.get("sha256") == "":
            file["sha256"] = sha256(_source(work, path).read_bytes()).hexdigest()
    (work / "declared.json").write_text(json.dumps(declared))


def _source(work: Path, path: str) -> Path:
    return work / "files" / path.lstrip("/")


def _system(paths: Paths) -> str:
    lines = paths.at("/etc/os-release").read_text().splitlines()
    said = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return "-".join("".join(shlex.split(said.get(name, ""))[:1]) for name in ("ID", "VERSION_ID"))
