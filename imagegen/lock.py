"""What an image was locked to: each file and container image that goes into it, by its hash, as data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from hashlib import sha256
from typing import Any

from imagegen.frozen import dataclass

FORMAT = 1
"""Of bundle.json and of lock.json."""

SUFFIX = ".lock.yaml"


class Source(StrEnum):
    """Where a bake takes from what is installed."""

    BUNDLE = "bundle"
    PACKAGES = "packages"
    BINARIES = "binaries"


class FileKind(StrEnum):
    """What a file of a bundle is."""

    BINARY = "binary"
    CNI = "cni"
    PACKAGE = "package"
    MANIFEST = "manifest"


FOLDERS: Mapping[FileKind, str] = {
    FileKind.BINARY: "bin",
    FileKind.CNI: "cni",
    FileKind.PACKAGE: "packages",
    FileKind.MANIFEST: "manifests",
}
"""Where files of a kind lie in a bundle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A tar.gz that a file comes out of, as `member`; `size` in bytes."""

    sha256: str
    size: int
    member: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedFile:
    """A file of the bundle, and the vendor's address of it or of the archive around it."""

    path: str
    kind: FileKind
    name: str
    version: str
    url: str
    sha256: str
    size: int
    archive: Archive | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedImage:
    """A container image of one architecture; `sha256` and `size` are of the OCI archive that a bundle has of it."""

    name: str
    digest: str
    path: str
    sha256: str
    size: int

    @property
    def version(self) -> str:
        return self.name.rpartition(":")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseDisk:
    """The cloud image that the qemu builder starts from."""

    url: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Provision:
    """All that goes into the image of one architecture."""

    base: BaseDisk | None = None
    files: tuple[LockedFile, ...] = ()
    images: tuple[LockedImage, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """The lock of one image."""

    name: str
    os: str
    kubernetes: str
    source: Source
    architectures: Mapping[str, Provision]

    def provision(self, architecture: str) -> Provision:
        """What there is for an architecture; nothing where it was not locked."""
        return self.architectures.get(architecture, Provision())


def bundle_index(lock: Lock, architecture: str) -> str:
    """The bundle.json of the bundle that is made from the lock, to the byte."""
    provision = lock.provision(architecture)
    files = [*map(_described_file, provision.files), *map(_described_image, provision.images)]
    return _json(
        {
            "format": FORMAT,
            "architecture": architecture,
            "kubernetes": lock.kubernetes,
            "files": sorted(files, key=lambda file: str(file["path"])),
        }
    )


def bundle_digest(lock: Lock, architecture: str) -> str:
    """SHA-256 of that bundle.json."""
    return sha256(bundle_index(lock, architecture).encode()).hexdigest()


def bake_lock(lock: Lock, architecture: str) -> str:
    """The lock.json that a bake compares with what it downloads."""
    provision = lock.provision(architecture)
    return _json(
        {
            "format": FORMAT,
            "architecture": architecture,
            "kubernetes": lock.kubernetes,
            "source": str(lock.source),
            "files": [
                *map(file_as_data, provision.files),
                *({"kind": "image", "name": image.name, "digest": image.digest} for image in provision.images),
            ],
        }
    )


def file_as_data(file: LockedFile) -> dict[str, Any]:
    """A file as the lock and lock.json have it."""
    data = _described_file(file)
    data = {key: data[key] for key in ("path", "kind", "name", "version")} | {
        "url": file.url,
        "sha256": file.sha256,
        "size": file.size,
    }
    if file.archive is not None:
        archive = file.archive
        data["archive"] = {"sha256": archive.sha256, "size": archive.size, "member": archive.member}
    return data


def locked_contents(lock: Lock, architecture: str) -> Iterator[tuple[str, str]]:
    """The name and version of everything, and one hash over all of it."""
    provision = lock.provision(architecture)
    everything = sha256()
    for file in provision.files:
        yield file.name, file.version
        everything.update(f"{file.path} {file.sha256}\n".encode())
    for image in provision.images:
        yield image.name.rpartition(":")[0], image.version
        everything.update(f"{image.name} {image.digest}\n".encode())
    yield "locked files", everything.hexdigest()


def _described_file(file: LockedFile) -> dict[str, Any]:
    return {
        "path": file.path,
        "kind": str(file.kind),
        "name": file.name,
        "version": file.version,
        "sha256": file.sha256,
        "size": file.size,
    }


def _described_image(image: LockedImage) -> dict[str, Any]:
    return {
        "path": image.path,
        "kind": "image",
        "name": image.name,
        "version": image.version,
        "sha256": image.sha256,
        "size": image.size,
    }


def _json(data: Any) -> str:
    return json.dumps(data, indent=2) + "\n"
