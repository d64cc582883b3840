"""Writes files and trees: all or nothing, and nothing secret readable by others."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from imagegen.filetree import PRIVATE, PUBLIC, FileTree

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_MANIFEST = "manifest.json"


def write_new(path: Path, text: str, mode: int = PRIVATE) -> None:
    """Write a file that must not exist yet (`FileExistsError`); complete, or not there."""
    with _staged(path, text, mode) as temporary:
        # A hard link fails where the name is taken; a rename would overwrite it.
        os.link(temporary, path)


def write_private(path: Path, text: str) -> None:
    """Write a private file in the place of an older one."""
    with _staged(path, text, PRIVATE) as temporary:
        temporary.replace(path)


def write_public(path: Path, text: str) -> None:
    """Write a file that all may read, in the place of an older one."""
    with _staged(path, text, PUBLIC) as temporary:
        temporary.replace(path)


def write_again(path: Path, text: str) -> None:
    """Write a file in the place of an older one, whose permissions stay."""
    with _staged(path, text, stat.S_IMODE(path.stat().st_mode)) as temporary:
        temporary.replace(path)


@contextmanager
def _staged(path: Path, text: str, mode: int) -> Iterator[Path]:
    """A complete file beside its place; whatever happens, nothing of it is left there but what was put in place."""
    name = ""
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        yield Path(name)
    except OSError as error:
        # The user knows the file, not the one beside it.
        error.filename, error.filename2 = str(path), None
        raise
    finally:
        if name:
            Path(name).unlink(missing_ok=True)


def is_private(path: Path) -> bool:
    """Whether nobody but the file's owner may read or write it."""
    return not stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO)


def write_tree(tree: FileTree, folder: Path, emitted_before: frozenset[str]) -> None:
    """Put the tree in the folder's place, alone: whoever looks sees the old one or the new one, never a mix.

    Files of the old folder that no render wrote (`emitted_before` lists those that one did) stay: a baked disk lies
    beside its templates.
    """
    with claim(folder.parent):
        sweep(folder.parent, {folder.name})
        replace_tree(tree, folder, emitted_before)


def sweep(out: Path, names: AbstractSet[str]) -> None:
    """Remove what killed runs left behind of these folders; whoever has claimed `out` is the only one at work."""
    for entry in out.iterdir():
        if entry.name.startswith(".") and entry.name[1:].rpartition(".")[0].removesuffix(".old") in names:
            shutil.rmtree(entry, ignore_errors=True)


def replace_tree(tree: FileTree, folder: Path, emitted_before: frozenset[str]) -> None:
    """`write_tree` for one who has claimed the folder above."""
    try:
        staging = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        _put(tree, staging, folder, emitted_before)
        shutil.rmtree(staging, ignore_errors=True)
    except BaseException:
        # Ctrl-C may come anywhere, also before the folder has a name here, or while it is being removed.
        sweep(folder.parent, {folder.name})
        raise


@contextmanager
def claim(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the kernel lets it go when this process ends, however it ends."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _put(tree: FileTree, staging: Path, folder: Path, emitted_before: frozenset[str]) -> None:
    _fill(tree, staging)
    if folder.exists():
        _keep_foreign(folder, staging, emitted_before)
        _exchange(staging, folder)
    else:
        staging.rename(folder)


def _fill(tree: FileTree, folder: Path) -> None:
    made: set[str] = set()
    exact: set[int] = set()
    for name, file in tree:
        _make_folders(name.rpartition("/")[0], folder, made)
        descriptor = os.open(f"{folder}/{name}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, file.mode)
        with os.fdopen(descriptor, "wb", buffering=0) as stream:
            # The umask took something away from the first file of a mode, or from none.
            if file.mode not in exact and stat.S_IMODE(os.fstat(descriptor).st_mode) == file.mode:
                exact.add(file.mode)
            if file.mode not in exact:
                os.fchmod(descriptor, file.mode)
            _write(stream, file.content)


def _write(stream: FileIO, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[stream.write(left) :]


def _make_folders(name: str, folder: Path, made: set[str]) -> None:
    if name and name not in made:
        _make_folders(name.rpartition("/")[0], folder, made)
        (folder / name).mkdir()
        made.add(name)


def _keep_foreign(old: Path, new: Path, emitted_before: frozenset[str]) -> None:
    for path in sorted(old.rglob("*")):
        name = path.relative_to(old).as_posix()
        target = new / name
        if name in emitted_before or name == _MANIFEST or target.exists():
            continue
        if path.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(path.readlink())
        elif path.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(path, target)


def _exchange(first: Path, second: Path) -> None:
    """Swap two folders in one step where the kernel can (Linux 3.15 and newer), in two where it cannot."""
    import ctypes  # noqa: PLC0415  a first render needs none of it

    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is not None:
        result = renameat2(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE)
        if result == 0:
            return
        if ctypes.get_errno() not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(second))
    aside = Path(tempfile.mkdtemp(dir=second.parent, prefix=f".{second.name}.old."))
    second.rename(aside / "old")
    first.rename(second)
    (aside / "old").rename(first)
    aside.rmdir()
