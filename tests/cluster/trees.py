"""Comparing two folders of files: kinds, modes, owners, attributes and content."""

import os
import stat
from pathlib import Path

BLOCK = 1 << 20


def differences(left: Path, right: Path) -> frozenset[str]:
    """Paths, seen from the folders, that are not the same on both sides."""
    names = _paths(left) | _paths(right)
    return frozenset(name for name in names if not _same(left / name, right / name))


def _paths(root: Path) -> set[str]:
    return {
        os.path.relpath(Path(folder) / name, root)
        for folder, folders, files in os.walk(root)
        for name in (*folders, *files)
    }


def _same(left: Path, right: Path) -> bool:
    try:
        ours, theirs = left.lstat(), right.lstat()
    except FileNotFoundError:
        return False
    return _nature(ours) == _nature(theirs) and _attributes(left) == _attributes(right) and _equal(left, right)


def _nature(status: os.stat_result) -> tuple[int, ...]:
    # A folder's size says how it was filled, not with what.
    size = 0 if stat.S_ISDIR(status.st_mode) else status.st_size
    return status.st_mode, status.st_uid, status.st_gid, status.st_rdev, size


def _attributes(path: Path) -> dict[str, bytes]:
    names = os.listxattr(path, follow_symlinks=False)
    return {name: os.getxattr(path, name, follow_symlinks=False) for name in names}


def _equal(left: Path, right: Path) -> bool:
    if left.is_symlink():
        return left.readlink() == right.readlink()
    return _same_content(left, right) if left.is_file() else True


def _same_content(left: Path, right: Path) -> bool:
    with left.open("rb", buffering=0) as ours, right.open("rb", buffering=0) as theirs:
        while True:
            block = ours.read(BLOCK)
            if block != theirs.read(BLOCK):
                return False
            if not block:
                return True
