"""A tree of files that exists only in memory, until `output` writes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from posixpath import normpath

PUBLIC = 0o644
PRIVATE = 0o600
EXECUTABLE = 0o755


@dataclass(frozen=True)
class File:
    """Content and permissions of one file."""

    content: bytes
    mode: int = PUBLIC

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content; trees share their files, so that it is made once."""
        return sha256(self.content).hexdigest()


class FileTree:
    """Relative path → file; writing the same path twice is a bug and raises `ValueError`."""

    def __init__(self, files: Mapping[str, File] | None = None) -> None:
        self._files: dict[str, File] = {}
        for path, file in (files or {}).items():
            self.add(path, file.content, file.mode)

    def add(self, path: str, content: str | bytes, mode: int = PUBLIC) -> None:
        """Add a file; text is written as UTF-8."""
        name = normpath(path)
        if path.startswith("/") or ".." in path.split("/") or name == ".":
            raise ValueError(f"{path!r} does not stay inside the tree")
        self._put(name, File(content.encode() if isinstance(content, str) else content, mode))

    def graft(self, prefix: str, other: FileTree) -> None:
        """Add every file of `other` below `prefix`."""
        for path, file in other:
            self._put(f"{prefix}/{path}", file)

    def copy(self) -> FileTree:
        """Another tree of the same files."""
        tree = FileTree()
        tree._files = dict(self._files)
        return tree

    def without(self, paths: Iterable[str]) -> FileTree:
        """Another tree that lacks these files."""
        left, tree = set(paths), FileTree()
        tree._files = {path: file for path, file in self._files.items() if path not in left}
        return tree

    def _put(self, path: str, file: File) -> None:
        if path in self._files:
            raise ValueError(f"{path!r} is written twice")
        self._files[path] = file

    def __iter__(self) -> Iterator[tuple[str, File]]:
        return iter(sorted(self._files.items()))

    def __len__(self) -> int:
        return len(self._files)

    def __contains__(self, path: str) -> bool:
        return path in self._files

    def __getitem__(self, path: str) -> File:
        return self._files[path]
