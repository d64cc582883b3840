"""Operating systems, and what they have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imagegen.frozen import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemFacts:
    """What an operating system release fixes; None: it is not known, and nobody may judge by it.

    `booted`: an image of it, baked from a bundle for amd64, became a node.
    """

    family: str
    distribution: str
    release: str
    booted: bool
    kernel: str | None = None
    cloud_init: str | None = None
    nftables_mode: bool | None = None
    cgroup: int | None = None
    docker: str | None = None
    codename: str = ""
    python: str = "python3"
    packages: tuple[str, ...] = ()


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
    base: tuple[str, ...] = ()


def parse_systems(tables: Mapping[str, Any]) -> dict[str, SystemFacts]:
    """systems.toml."""
    return {name: SystemFacts(**_with_tuples(facts)) for name, facts in tables.items()}


def parse_families(tables: Mapping[str, Any]) -> dict[str, FamilyFacts]:
    """families.toml."""
    return {name: FamilyFacts(**_with_tuples(facts)) for name, facts in tables.items()}


def _with_tuples(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in facts.items()}
