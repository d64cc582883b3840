"""The offline bundle against its bundle.json."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FORMAT = 1
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Wanted:
    """What the image was told to be baked from."""

    sha256: str
    architecture: str
    kubernetes: str
    source: str = ""


def problems(folder: Path, wanted: Wanted) -> list[str]:
    """Give what is wrong with a bundle; nothing: it may be used."""
    index = folder / "bundle.json"
    if not index.is_file():
        return [f"{index} is missing"]
    found = _sha256(index)
    if wanted.sha256 and found != wanted.sha256:
        return [f"bundle.json has sha256 {found}, the image was planned with {wanted.sha256}"]
    described = json.loads(index.read_text())
    return heading_problems(described, wanted) or _file_problems(folder, described["files"])


def heading_problems(described: dict[str, Any], wanted: Wanted) -> list[str]:
    """Give what an index is about, where that is not what is wanted."""
    headings = {"format": _FORMAT, "architecture": wanted.architecture, "kubernetes": wanted.kubernetes}
    if wanted.source:
        headings["source"] = wanted.source
    return [
        f"{name} is {described.get(name)!r}, wanted {value!r}"
        for name, value in headings.items()
        if described.get(name) != value
    ]


def _file_problems(folder: Path, files: list[dict[str, Any]]) -> list[str]:
    listed = {file["path"] for file in files}
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}
    strange = [f"{path} is not in bundle.json" for path in sorted(there - listed - {"bundle.json"})]
    missing = [f"{path} is missing" for path in sorted(listed - there)]
    with ThreadPoolExecutor(max_workers=2) as pool:
        changed = pool.map(lambda file: _change(folder, file), [file for file in files if file["path"] in there])
        return [*strange, *missing, *(problem for problem in changed if problem)]


def _change(folder: Path, file: dict[str, Any]) -> str:
    path = folder / file["path"]
    if path.stat().st_size != file["size"]:
        return f"{file['path']} has {path.stat().st_size} bytes, not {file['size']}"
    found = _sha256(path)
    return "" if found == file["sha256"] else f"{file['path']} has sha256 {found}, not {file['sha256']}"


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
