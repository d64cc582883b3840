"""`extends`: what a fleet shares stands in files of its own; every value keeps its place in the file it is from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from posixpath import dirname, join, normpath
from typing import Any

from imagegen.diagnostics import Diagnostic, Path, Position
from imagegen.document import Document, parse

KEY = "extends"
MAX_DEPTH = 8
_HINT = "paths are relative to the file they stand in"

Read = Callable[[str], str]
"""Gives the text of a file, named as in messages; `OSError` or `UnicodeDecodeError` where it cannot."""


def refuse(file: str) -> str:
    """A reader for documents that stand alone."""
    raise FileNotFoundError(2, "files of this document are out of reach", file)


@dataclass(slots=True)
class Loading:
    """What reading a document and its bases has brought so far."""

    read: Read
    findings: list[Diagnostic] = field(default_factory=list)
    sources: list[tuple[str, str]] = field(default_factory=list)


def load(text: str, file: str, read: Read) -> tuple[Document | None, Loading]:
    """Parse a document, and lay it over what it extends: mappings are merged, all else is replaced (IG005)."""
    loading = Loading(read=read)
    return _load(text, file, (), loading), loading


def _load(text: str, file: str, above: tuple[str, ...], loading: Loading) -> Document | None:
    loading.sources.append((file, text))
    own, findings = parse(text, file)
    loading.findings += findings
    if own is None:
        return None
    # A wrong `extends` (no list, no text in it) is the schema gate's to say.
    names = own.data.get(KEY) if isinstance(own.data, dict) else None
    merged: Document | None = None
    for number, name in enumerate(names if isinstance(names, list) else ()):
        if isinstance(name, str):
            base = _load_base(name, own.locate((KEY, number)), (*above, normpath(file)), loading)
            merged = base if merged is None or base is None else overlay(merged, base)
    return own if merged is None else overlay(merged, own)


def _load_base(name: str, place: Position, above: tuple[str, ...], loading: Loading) -> Document | None:
    file = normpath(join(dirname(place.file), name))
    if file in above or len(above) > MAX_DEPTH:
        loading.findings.append(_finding(f"`{name}` extends itself in the end", place))
        return None
    try:
        text = loading.read(file)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not UTF-8 text"
        loading.findings.append(_finding(f"`{name}` cannot be read: {reason}", place))
        return None
    return _load(text, file, above, loading)


def _finding(message: str, place: Position) -> Diagnostic:
    return Diagnostic(
        code="IG005", message=message, hint="paths are relative to the file they stand in", position=place
    )


def overlay(base: Document, own: Document) -> Document:
    """`own` over `base`; where both have a mapping they are merged, everything else is `own`'s."""
    if not isinstance(base.data, dict) or not isinstance(own.data, dict):
        return own
    data, kept = _merge(base.data, own.data, ())
    return replace(
        own,
        data=data,
        values=_positions(base.values, own.values, kept),
        keys=_positions(base.keys, own.keys, kept),
    )


def _merge(base: Mapping[str, Any], own: Mapping[str, Any], path: Path) -> tuple[dict[str, Any], set[Path]]:
    """The merged mapping, and the paths whose whole contents are the base's."""
    merged: dict[str, Any] = {}
    kept: set[Path] = set()
    for key in [*base, *(key for key in own if key not in base)]:
        if key not in own:
            merged[key] = base[key]
            kept.add((*path, key))
        elif isinstance(base.get(key), dict) and isinstance(own[key], dict):
            merged[key], below = _merge(base[key], own[key], (*path, key))
            kept |= below
        else:
            merged[key] = own[key]
    return merged, kept


def _positions(base: Mapping[Path, Position], own: Mapping[Path, Position], kept: set[Path]) -> Mapping[Path, Position]:
    from_base = {path: place for path, place in base.items() if any(path[: len(prefix)] == prefix for prefix in kept)}
    return {**own, **from_base}
