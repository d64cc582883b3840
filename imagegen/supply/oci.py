"""Container images: references, manifests, and the OCI archive of one. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from imagegen.frozen import dataclass

INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
MANIFESTS = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
_HUB = "docker.io"


class ManifestError(ValueError):
    """Not a manifest, or none that an image can be made of; the text says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A full image reference, and where the registry of it is asked."""

    name: str
    host: str
    repository: str
    tag: str

    def url(self, kind: str, reference: str) -> str:
        """The registry's address of a manifest or a blob."""
        return f"https://{self.host}/v2/{self.repository}/{kind}/{reference}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """A part of an image; `size` in bytes."""

    digest: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The manifest of an image for one architecture, as the registry has it, and the parts that it names."""

    content: bytes
    media_type: str
    blobs: tuple[Blob, ...]

    @property
    def digest(self) -> str:
        return f"sha256:{sha256(self.content).hexdigest()}"

    @property
    def size(self) -> int:
        return len(self.content) + sum(blob.size for blob in self.blobs)


def read_reference(name: str, docker_hub: str) -> Reference:
    """The parts of `host/repository:tag`; a name without a host is Docker Hub's, which is asked at `docker_hub`."""
    path, _, tag = name.rpartition(":")
    host, _, repository = path.partition("/")
    if not repository or not ("." in host or ":" in host or host == "localhost"):
        host, repository = _HUB, path if repository else f"library/{path}"
    return Reference(name=name, host=docker_hub if host == _HUB else host, repository=repository, tag=tag)


def choose(content: bytes, architecture: str) -> str | None:
    """The digest of the manifest for an architecture in a list of them; None: this is no list."""
    data = _read(content)
    if not isinstance(data.get("manifests"), list):
        return None
    for entry in data["manifests"]:
        platform = entry.get("platform", {})
        # arm64's one variant is v8, whether it is said or not.
        fits = platform.get("os") == "linux" and platform.get("architecture") == architecture
        if fits and platform.get("variant", "v8") == "v8":
            return str(entry["digest"])
    raise ManifestError(f"there is no image for linux/{architecture}")


def read_manifest(content: bytes) -> Manifest:
    """The manifest of one image; `ManifestError` for anything else."""
    data = _read(content)
    try:
        parts = [data["config"], *data["layers"]]
        blobs = {part["digest"]: Blob(digest=str(part["digest"]), size=int(part["size"])) for part in parts}
    except (KeyError, TypeError, ValueError) as error:
        raise ManifestError("it is no manifest of an image") from error
    if any(not _is_digest(digest) for digest in blobs):
        raise ManifestError("it names a part by something else than a sha256")
    media_type = str(data.get("mediaType") or MANIFESTS[0])
    if media_type not in MANIFESTS:
        raise ManifestError(f"it is of the kind {media_type}")
    return Manifest(content=content, media_type=media_type, blobs=tuple(blobs.values()))


def layout(name: str, manifest: Manifest, architecture: str) -> Iterator[tuple[str, bytes | Blob]]:
    """The members of the OCI archive in their order: what is small as it is, the rest as the blob that it holds."""
    descriptor = {
        "mediaType": manifest.media_type,
        "digest": manifest.digest,
        "size": len(manifest.content),
        "platform": {"architecture": architecture, "os": "linux"},
        # containerd takes the image's name from the first, others its tag from the second.
        "annotations": {
            "io.containerd.image.name": name,
            "org.opencontainers.image.ref.name": name.rpartition(":")[2],
        },
    }
    index = {"schemaVersion": 2, "mediaType": INDEXES[0], "manifests": [descriptor]}
    yield "oci-layout", _json({"imageLayoutVersion": "1.0.0"})
    yield "index.json", _json(index)
    yield _member(manifest.digest), manifest.content
    for blob in sorted(manifest.blobs, key=lambda blob: blob.digest):
        yield _member(blob.digest), blob


def archive_name(name: str) -> str:
    """The file name of an image's archive: one for each image, and readable."""
    return f"{name.replace('/', '_').replace(':', '_')}.tar"


def _member(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


def _is_digest(text: str) -> bool:
    algorithm, _, digits = text.partition(":")
    return algorithm == "sha256" and len(digits) == 64 and not set(digits) - set("0123456789abcdef")  # noqa: PLR2004


def _read(content: bytes) -> Mapping[str, Any]:
    try:
        data = json.loads(content)
    except ValueError as error:
        raise ManifestError("it is no JSON") from error
    if not isinstance(data, dict):
        raise ManifestError("it is no manifest")
    return data


def _json(data: Any) -> bytes:
    return json.dumps(data, sort_keys=True).encode()
