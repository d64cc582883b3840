"""`extends`: what a fleet shares stands in files of its own; every value keeps its place in the file it is from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from posixpath import dirname, join, normpath
from typing import Any

from imagegen import frozen
from imagegen.diagnostics import Diagnostic, Path, Position
from imagegen.document import Document, parse_all

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


@frozen.dataclass(frozen=True, slots=True, kw_only=True)
class Documents:
    """What a spec and its bases say: one Cluster document, and Image documents by their names."""

    cluster: Document | None = None
    images: Mapping[str, Document] = field(default_factory=dict)

    def locate(self, path: Path, *, image: str = "", on_key: bool = False) -> Position | None:
        """The place of a value in the Cluster document, or in an Image document."""
        document = self.images.get(image) if image else self.cluster
        return document.locate(path, on_key=on_key) if document else None


def load(text: str, file: str, read: Read) -> tuple[Documents | None, Loading]:
    """Parse a file, and lay it over what it extends: mappings are merged, all else is replaced (IG005, IG006)."""
    loading = Loading(read=read)
    documents = _load(text, file, (), loading)
    if documents is not None and documents.cluster is None:
        message = "this file has no Cluster document, nor has one that it extends"
        loading.findings.append(_mismatch(message, Position(file=file, line=1, column=1)))
    return documents, loading


def _load(text: str, file: str, above: tuple[str, ...], loading: Loading) -> Documents | None:
    loading.sources.append((file, text))
    parsed, findings = parse_all(text, file)
    loading.findings += findings
    if findings:
        return None
    own = _sort(parsed, loading)
    # A wrong `extends` (no list, no text in it) is the schema gate's to say.
    names = own.cluster.data.get(KEY) if own.cluster and isinstance(own.cluster.data, dict) else None
    merged = Documents()
    for number, name in enumerate(names if isinstance(names, list) and own.cluster else ()):
        if isinstance(name, str) and own.cluster:
            base = _load_base(name, own.cluster.locate((KEY, number)), (*above, normpath(file)), loading)
            merged = _lay(merged, base or Documents())
    return _lay(merged, own)


def _sort(parsed: tuple[Document, ...], loading: Loading) -> Documents:
    images: dict[str, Document] = {}
    clusters: list[Document] = []
    for document in parsed:
        if not _is_image(document):
            clusters.append(document)
            continue
        name = _name(document) or f"document {document.locate(()).line}"
        if name in images:
            loading.findings.append(_mismatch(f"a second Image document named `{name}`", document.locate(())))
        images[name] = document
    loading.findings += [
        _mismatch("a second Cluster document: a spec is about one cluster", second.locate(()))
        for second in clusters[1:]
    ]
    return Documents(cluster=clusters[0] if clusters else None, images=images)


def _is_image(document: Document) -> bool:
    return isinstance(document.data, dict) and document.data.get("kind") == "Image"


def _name(document: Document) -> str | None:
    metadata = document.data.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    return name if isinstance(name, str) else None


def _mismatch(message: str, place: Position) -> Diagnostic:
    hint = "one Cluster document and any number of Image documents, `---` between them"
    return Diagnostic(code="IG006", message=message, hint=hint, position=place)


def _lay(base: Documents, own: Documents) -> Documents:
    names = {**base.images, **own.images}
    images = {name: layered for name in names if (layered := _over(base.images.get(name), own.images.get(name)))}
    return Documents(cluster=_over(base.cluster, own.cluster), images=images)


def _over(base: Document | None, own: Document | None) -> Document | None:
    return overlay(base, own) if base and own else own or base


def _load_base(name: str, place: Position, above: tuple[str, ...], loading: Loading) -> Documents | None:
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
    return Diagnostic(code="IG005", message=message, hint=_HINT, position=place)


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
