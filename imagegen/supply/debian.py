"""A Debian archive's own words: its Release and Packages files, and what packages need of each other. Pure."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from imagegen.supply.found import FoundPackage

# An index has tens of thousands of paragraphs: only those that are needed are read as such.
_NAME = re.compile(r"\s*Package: *(\S+)")
_BASE = ("\nEssential: yes\n", "\nPriority: required\n")
_CLEARTEXT = re.compile(r"-----BEGIN PGP SIGNED MESSAGE-----\n.*?\n\n(.*?)\n-----BEGIN PGP SIGNATURE-----", re.DOTALL)


class UnresolvedError(Exception):
    """A package that the archives do not have, as it is needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexFile:
    """A file that a Release lists; `size` in bytes."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What a Release file says: other files' hashes, and until when it is valid (RFC 5322), if it says so."""

    files: Mapping[str, IndexFile]
    valid_until: str
    by_hash: bool


def read_release(text: str) -> Release:
    """The Release, also from within its signed form."""
    signed = _CLEARTEXT.search(text)
    fields = _fields(signed[1] if signed else text)
    rows = (line.split() for line in fields.get("SHA256", "").splitlines())
    files = {row[2]: IndexFile(path=row[2], sha256=row[0], size=int(row[1])) for row in rows if len(row) == 3}  # noqa: PLR2004
    return Release(
        files=files,
        valid_until=fields.get("Valid-Until", ""),
        by_hash=fields.get("Acquire-By-Hash", "") == "yes",
    )


@dataclass(frozen=True)
class Package:
    """A package of an archive; `archive` is the address that its file's name is relative to."""

    archive: str
    paragraph: str

    @cached_property
    def fields(self) -> Mapping[str, str]:
        """Its paragraph in the index."""
        return _fields(self.paragraph)

    @property
    def name(self) -> str:
        return self.fields["Package"]

    @property
    def version(self) -> str:
        return self.fields["Version"]

    @property
    def url(self) -> str:
        return f"{self.archive}/{self.fields['Filename'].removeprefix('./')}"

    @property
    def found(self) -> FoundPackage:
        """The same, whatever the format."""
        return FoundPackage(
            name=self.name,
            version=self.version,
            url=self.url,
            sha256=self.fields["SHA256"],
            size=int(self.fields["Size"]),
            suffix="deb",
        )

    def needs(self) -> Iterator[list[Mapping[str, Any]]]:
        """Groups of alternatives, one of each of which must be there."""
        for name in ("Pre-Depends", "Depends"):
            if name in self.fields:
                yield from _relations(self.fields[name])

    def provides(self) -> Iterator[tuple[str, str | None]]:
        """Itself and its virtual packages, with their versions."""
        yield self.name, self.version
        # No alternatives and no relation but `=` here: the library takes seconds over those of a whole index.
        for text in filter(None, self.fields.get("Provides", "").split(",")):
            name, *version = text.replace("(", " ").replace(")", " ").split()
            yield name.partition(":")[0], version[1] if version else None


@dataclass(slots=True)
class Archives:
    """The packages of several archives, looked up by name."""

    by_name: dict[str, list[Package]] = field(default_factory=dict)
    providers: dict[str, list[Package]] = field(default_factory=dict)
    base: set[str] = field(default_factory=set)

    def add(self, archive: str, index: str) -> None:
        """Add a Packages file."""
        for paragraph in index.split("\n\n"):
            found = _NAME.match(paragraph)
            if found is None:
                continue
            package = Package(archive, paragraph)
            self.by_name.setdefault(found[1], []).append(package)
            if any(mark in paragraph for mark in _BASE):
                self.base.add(found[1])
            if "\nProvides:" in paragraph:
                for virtual, _ in tuple(package.provides())[1:]:
                    self.providers.setdefault(virtual, []).append(package)

    def find(self, need: Mapping[str, Any], pin: str = "") -> Package | None:
        """The newest package that fits a need, or the first that provides it."""
        own = [
            package
            for package in self.by_name.get(need["name"], ())
            if package.version.startswith(pin) and _fits(package.version, need)
        ]
        if own:
            return max(own, key=lambda package: _version(package.version))
        providing = [package for package in self.providers.get(need["name"], ()) if _provides(package, need)]
        return min(providing, key=lambda package: package.name, default=None)


def closure(archives: Archives, names: Iterable[str], pins: Mapping[str, str]) -> tuple[Package, ...]:
    """The named packages with all that they need beyond what every system of the archive has.

    That is what is Essential or of priority `required`, with its own needs. Of alternatives the first is taken, as apt
    does; conflicts are apt's to solve, which chooses from the result. `UnresolvedError` where something is missing.
    """
    base = _Closure(archives, {}, {})
    for name in sorted(archives.base):
        base.add({"name": name}, "the system")
    base.follow()
    wanted = _Closure(archives, pins, base.chosen)
    for name in names:
        wanted.take({"name": name}, "the image")
    wanted.follow()
    return tuple(wanted.chosen[name] for name in sorted(wanted.chosen))


class _Closure:
    def __init__(self, archives: Archives, pins: Mapping[str, str], base: Mapping[str, Package]) -> None:
        self._archives = archives
        self._pins = pins
        self._base = base
        self.chosen: dict[str, Package] = {}
        self._provided: dict[str, list[Package]] = {}
        self._open: list[Package] = []
        self._base_provided: dict[str, list[Package]] = {}
        for package in base.values():
            for name, _ in package.provides():
                self._base_provided.setdefault(name, []).append(package)

    def add(self, need: Mapping[str, Any], who: str) -> None:
        """One need, unless it is met."""
        if not any(_provides(package, need) for package in self._provided.get(need["name"], ())):
            self.take(need, who)

    def take(self, need: Mapping[str, Any], who: str) -> None:
        package = self._archives.find(need, self._pins.get(need["name"], ""))
        if package is None:
            raise UnresolvedError(f"{who} needs {_said(need, self._pins)}, which the archives do not have")
        if package.name not in self.chosen:
            self.chosen[package.name] = package
            self._open.append(package)
            for name, _ in package.provides():
                self._provided.setdefault(name, []).append(package)

    def follow(self) -> None:
        while self._open:
            package = self._open.pop(0)
            for group in package.needs():
                self._meet(group, package)

    def _meet(self, group: list[Mapping[str, Any]], package: Package) -> None:
        if any(_provides(there, need) for need in group for there in self._provided.get(need["name"], ())):
            return
        for need in group:
            if any(_provides(there, need) for there in self._base_provided.get(need["name"], ())):
                # A base may have another version of it than the archive has now.
                if (need.get("version") or ("",))[0] == "=":
                    self.take(need, package.name)
                return
        found = (need for need in group if self._archives.find(need, self._pins.get(need["name"], "")))
        self.take(next(found, group[0]), package.name)


def _provides(package: Package, need: Mapping[str, Any]) -> bool:
    return any(
        name == need["name"] and (_fits(version, need) if version else not need.get("version"))
        for name, version in package.provides()
    )


_COMPARISONS = {"=": operator.eq, "<<": operator.lt, "<=": operator.le, ">=": operator.ge, ">>": operator.gt}


def _fits(version: str, need: Mapping[str, Any]) -> bool:
    if not need.get("version"):
        return True
    relation, wanted = need["version"]
    return bool(_COMPARISONS[relation](_version(version), _version(wanted)))


def _said(need: Mapping[str, Any], pins: Mapping[str, str]) -> str:
    version = need.get("version")
    pin = f" {pins[need['name']]}…" if need["name"] in pins else ""
    return f"{need['name']} ({' '.join(version)})" if version else f"{need['name']}{pin}"


def _version(text: str) -> Any:
    from debian.debian_support import Version  # noqa: PLC0415  an extra

    return Version(text)


def _relations(text: str) -> list[list[Mapping[str, Any]]]:
    from debian.deb822 import PkgRelation  # noqa: PLC0415  an extra

    # An index has no restrictions that depend on a profile or an architecture; `:any` is met by the own architecture.
    return [[dict(alternative) for alternative in group] for group in PkgRelation.parse_relations(text)] if text else []


def _fields(paragraph: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in paragraph.splitlines():
        if line[:1] in (" ", "\t"):
            fields[name] += f"\n{line.strip()}"
        elif ":" in line:
            name, _, value = line.partition(":")
            fields[name] = value.strip()
    return fields
