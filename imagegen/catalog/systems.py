"""Operating systems, what they have in common, and where the bits come from that an image is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from imagegen.frozen import dataclass

_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemFacts:
    """What an operating system release fixes; None: it is not known, and nobody may judge by it.

    `booted`: an image of it, baked from a bundle for amd64, became a node.
    """

    family: str
    booted: bool
    kernel: str | None = None
    cloud_init: str | None = None
    nftables_mode: bool | None = None
    cgroup: int | None = None
    docker: str | None = None
    codename: str = ""
    python: str = "python3"
    packages: tuple[str, ...] = ()
    image: str | None = None
    image_checksum: str | None = None

    def base_image(self, architecture: str) -> tuple[str, str] | None:
        """Address and checksum of the distributor's cloud image; None where there is none for everybody."""
        if self.image is None or self.image_checksum is None:
            return None
        words = {"architecture": architecture, "machine": _MACHINES[architecture]}
        return self.image.format(**words), self.image_checksum.format(**words)


@dataclass(frozen=True, slots=True, kw_only=True)
class FamilyFacts:
    """What systems with the same package manager have in common."""

    packages: tuple[str, ...]
    enabled_units: tuple[str, ...]
    masked_units: tuple[str, ...]
    kubelet_arguments: str
    cni_folders: tuple[str, ...]
    settings: Mapping[str, str]
    runc_package: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A vendor's package repository: its address, and whose signature its packages must bear."""

    url: str
    key: str
    fingerprint: str
    suite: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorFacts:
    """Where bits come from: repositories by content and family, addresses of plain files, mirrors by profile."""

    repositories: Mapping[str, Mapping[str, Repository]]
    packages: Mapping[str, tuple[str, ...]]
    binaries: Mapping[str, str]
    mirrors: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def repository(self, content: str, system: SystemFacts, *, architecture: str, minor: str) -> Repository | None:
        """The repository of a content for a system; None where none is known to fit."""
        repository = self.repositories[content][system.family]
        if "{docker}" in repository.url and system.docker is None:
            return None
        words = {
            "minor": minor,
            "architecture": architecture,
            "machine": _MACHINES[architecture],
            "docker": system.docker,
            "codename": system.codename,
        }
        return Repository(
            url=repository.url.format(**words),
            suite=repository.suite.format(**words),
            key=repository.key.format(**words),
            fingerprint=repository.fingerprint,
        )


def parse_systems(tables: Mapping[str, Any]) -> dict[str, SystemFacts]:
    """systems.toml."""
    return {name: SystemFacts(**_with_tuples(facts)) for name, facts in tables.items()}


def parse_families(tables: Mapping[str, Any]) -> dict[str, FamilyFacts]:
    """families.toml."""
    return {name: FamilyFacts(**_with_tuples(facts)) for name, facts in tables.items()}


def parse_vendors(tables: Mapping[str, Any]) -> VendorFacts:
    """vendors.toml."""
    repositories = {
        content: {family: Repository(**facts) for family, facts in families.items()}
        for content, families in tables["repositories"].items()
    }
    return VendorFacts(
        repositories=repositories,
        packages={name: tuple(packages) for name, packages in tables["packages"].items()},
        binaries=tables["binaries"],
        mirrors=tables["mirrors"],
    )


def _with_tuples(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in facts.items()}
