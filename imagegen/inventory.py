"""What a bake found in its image: inventory.json, as data with types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_FORMAT = 1


class NoInventoryError(Exception):
    """The data is no inventory that this version of imagegen reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A package of the system; `kind` is `deb` or `rpm`, `source` what it was built from."""

    kind: str
    name: str
    version: str
    architecture: str
    source: str
    source_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary:
    """A program that no package owns; its version is empty where it was not to be had."""

    path: str
    name: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerImage:
    """A container image that lies in the image; `digest` is `sha256:` and 64 digits."""

    reference: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """An image, and all that is in it."""

    image: str
    fingerprint: str
    kubernetes: str
    architecture: str
    builder: str
    baked: datetime
    system: str
    system_version: str
    system_name: str
    kernels: tuple[str, ...]
    packages: tuple[Package, ...]
    binaries: tuple[Binary, ...]
    images: tuple[ContainerImage, ...]


def read_inventory(data: Any) -> Inventory:
    """The inventory in the JSON that the bake wrote; `NoInventoryError` for anything else."""
    try:
        if data["format"] != _FORMAT:
            raise NoInventoryError
        return _inventory(data)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise NoInventoryError from error


def _inventory(data: Mapping[str, Any]) -> Inventory:
    stamp, system = data["image"], data["system"]
    return Inventory(
        image=stamp["name"],
        fingerprint=stamp["fingerprint"],
        kubernetes=stamp["kubernetes"],
        architecture=stamp["architecture"],
        builder=stamp["builtBy"]["builder"],
        baked=datetime.strptime(stamp["builtBy"]["at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC),
        system=system["id"],
        system_version=system["version"],
        system_name=system["name"],
        kernels=tuple(data["kernels"]),
        packages=tuple(
            Package(
                kind=package["type"],
                name=package["name"],
                version=package["version"],
                architecture=package["architecture"],
                source=package["source"],
                source_version=package["sourceVersion"],
            )
            for package in data["packages"]
        ),
        binaries=tuple(Binary(**binary) for binary in data["binaries"]),
        images=tuple(ContainerImage(**image) for image in data["images"]),
    )
