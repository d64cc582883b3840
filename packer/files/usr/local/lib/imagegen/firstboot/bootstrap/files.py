"""Files written whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any


def write(path: Path, content: bytes, mode: int, *, durable: bool = True) -> None:
    """Replaces a file whole; a durable one survives a power cut that comes after this."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    fresh.replace(path)
    if durable:
        _sync_folder(path.parent)


def write_json(path: Path, value: object, mode: int, *, durable: bool = True) -> None:
    """The same for data."""
    write(path, (json.dumps(value, indent=1) + "\n").encode(), mode, durable=durable)


def read_json(path: Path) -> dict[str, Any]:
    """The mapping in a JSON file; empty where the file is missing, cut off or something else."""
    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def private_folder(path: Path) -> None:
    """Makes a folder that only root may look into."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)


def remove(path: Path) -> None:
    """Removes a file or a whole folder; it may be gone already."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
