"""The cache of what takes long to make: tools, base disks, bundles, baked images."""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

# Two Debian releases, and the two of the last change.
_KEPT = 4
_UNFINISHED = ".making-"


def root() -> Path:
    """Give the cache folder, made where it is missing."""
    named = os.environ.get("IMAGEGEN_CACHE")
    folder = Path(named) if named else Path.home() / ".cache" / "imagegen"
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def key(*parts: str | bytes) -> str:
    """Give a short name for all the inputs that an entry is made from."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(b"%d:" % len(data) + data)
    return digest.hexdigest()[:16]


def find(name: str, entry_key: str) -> Path | None:
    """Give the folder of an entry, or nothing where it was not made yet."""
    folder = root() / name / entry_key
    return folder if folder.is_dir() else None


def made(name: str, entry_key: str, make: Callable[[Path], None], *, anew: bool = False) -> Path:
    """Give the folder of an entry; where it is missing, `make` fills it: wholly or not at all.

    With `anew` it is made again, and takes the place of the one that was there.
    """
    with _locked(name) as shelf:
        folder = find(name, entry_key)
        if folder is None or anew:
            folder = _make(shelf, entry_key, make)
        os.utime(folder)
    return folder


def _make(shelf: Path, entry_key: str, make: Callable[[Path], None]) -> Path:
    for left in shelf.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(left, ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=shelf))
    try:
        work.chmod(0o755)
        make(work)
        folder = _placed(work, shelf / entry_key)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    _forget_old(shelf)
    return folder


def _placed(work: Path, folder: Path) -> Path:
    if folder.exists():
        folder.rename(old := work.with_name(f"{work.name}-old"))
        work.rename(folder)
        shutil.rmtree(old)
        return folder
    return work.rename(folder)


def _forget_old(shelf: Path) -> None:
    entries = [entry for entry in shelf.iterdir() if entry.is_dir() and not entry.name.startswith(".")]
    entries.sort(key=lambda entry: entry.stat().st_mtime, reverse=True)
    for entry in entries[_KEPT:]:
        shutil.rmtree(entry)


@contextmanager
def _locked(name: str) -> Iterator[Path]:
    shelf = root() / name
    shelf.mkdir(parents=True, exist_ok=True)
    with (shelf / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield shelf
