"""A folder of specs: which of its files are specs by themselves, and which cluster each is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from posixpath import dirname, join, normpath
from typing import Any

from imagegen.diagnostics import Diagnostic, Position, Report
from imagegen.document import Document, parse_all
from imagegen.inheritance import KEY

_API = "imagegen/"
_HINT = "a render of one would overwrite the other's: give each its own `metadata.name`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a file says about itself; `about_cluster` unless it is plainly something else."""

    file: str
    about_cluster: bool
    extends: tuple[str, ...] = ()
    name: str | None = None
    place: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The specs to be rendered and their clusters; those that clash, and why; how many other files there are."""

    specs: tuple[str, ...]
    clusters: frozenset[str]
    clashing: tuple[str, ...]
    clashes: Report
    others: int


def look(text: str, file: str) -> Look:
    """A first look at a file; what cannot be read is taken for a spec, so that its check says why."""
    documents, _ = parse_all(text, file)
    clusters = [document for document in documents if not _is_something_else(document.data)]
    own = clusters[0] if clusters else None
    name = _text(_section(own, "metadata").get("name"))
    bases = own.data.get(KEY) if own and isinstance(own.data, dict) else None
    # A wrong `extends` is the check's to say.
    bases = bases if isinstance(bases, list) else []
    return Look(
        file=file,
        about_cluster=bool(clusters) or not documents,
        extends=tuple(_beside(file, base) for base in bases if isinstance(base, str)),
        name=name,
        place=own.locate(("metadata", "name")) if own else Position(file=file, line=1, column=1),
    )


def choose(looks: Mapping[str, Look], bases: Mapping[str, Look]) -> Choice:
    """Every file about a cluster that no other file of the folder extends; two about one cluster are both refused.

    `bases` are files outside of the folder that specs in it extend.
    """
    extended = {base for found in looks.values() for base in found.extends}
    specs = [found for found in looks.values() if found.about_cluster and found.file not in extended]
    known = {**bases, **looks}
    by_name: dict[str | None, list[Look]] = {}
    for spec in specs:
        by_name.setdefault(_name(spec, known, ()), []).append(spec)
    clashes = [(name, found) for name, found in by_name.items() if name is not None and len(found) > 1]
    clashing = {spec.file for _, found in clashes for spec in found}
    return Choice(
        specs=tuple(spec.file for spec in specs if spec.file not in clashing),
        clusters=frozenset(name for name in by_name if name is not None),
        clashing=tuple(spec.file for spec in specs if spec.file in clashing),
        clashes=Report(diagnostics=tuple(finding for clash in clashes for finding in _refuse(*clash))),
        others=len(looks) - len(specs),
    )


def _refuse(name: str, specs: list[Look]) -> Iterator[Diagnostic]:
    for spec in specs:
        others = ", ".join(other.file for other in specs if other is not spec)
        message = f"the cluster `{name}` has another spec: {others}"
        yield Diagnostic(code="IG501", message=message, hint=_HINT, position=spec.place)


def _name(spec: Look, known: Mapping[str, Look], above: tuple[str, ...]) -> str | None:
    """The name that the spec has, or the last of its bases; a circle of bases has none."""
    if spec.name is not None or spec.file in above:
        return spec.name
    names = (_name(known[base], known, (*above, spec.file)) for base in reversed(spec.extends) if base in known)
    return next((name for name in names if name is not None), None)


def _is_something_else(data: Any) -> bool:
    if not isinstance(data, dict):
        return False
    kind, version = data.get("kind"), data.get("apiVersion")
    if kind in ("Image", "Lock", "SecretsBundle"):
        return True
    return kind not in (None, "Cluster") and isinstance(version, str) and not version.startswith(_API)


def _section(document: Document | None, key: str) -> Mapping[str, Any]:
    section = document.data.get(key) if document and isinstance(document.data, dict) else None
    return section if isinstance(section, dict) else {}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _beside(file: str, name: str) -> str:
    return normpath(join(dirname(file), name))
