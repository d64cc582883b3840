"""Container images from registries, by their API (version 2), as anybody may pull them."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from imagegen.fetching.client import Client
from imagegen.fetching.download import Expected, Hear, download
from imagegen.fetching.failure import FetchError
from imagegen.supply.oci import (
    INDEXES,
    MANIFESTS,
    Blob,
    Manifest,
    ManifestError,
    Reference,
    choose,
    layout,
    read_manifest,
)

if TYPE_CHECKING:
    import httpx

_MAX_MANIFEST = 4 * 2**20
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')
_UNAUTHORISED = 401


class Registries:
    """Any number of registries, and the tokens that they gave to anybody who asks."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._tokens: dict[str, str] = {}
        self._lock = Lock()

    def resolve(self, reference: Reference, architecture: str, digest: str | None = None) -> Manifest:
        """The manifest for an architecture: of the tag as it is now, or of a digest that was locked."""
        content = self._manifest(reference, digest or reference.tag)
        with _about(reference):
            chosen = None if digest else choose(content, architecture)
            return read_manifest(self._manifest(reference, chosen) if chosen else content)

    def _manifest(self, reference: Reference, wanted: str) -> bytes:
        url = reference.url("manifests", wanted)
        headers = {"Accept": ", ".join((*INDEXES, *MANIFESTS))}
        content, response = self._client.read(url, headers | self._credentials(reference), _MAX_MANIFEST)
        if response.status_code == _UNAUTHORISED:
            self._ask_for_token(reference, response)
            content, response = self._client.read(url, headers | self._credentials(reference), _MAX_MANIFEST)
        if response.status_code == _UNAUTHORISED:
            raise FetchError(f"{self._client.named(url)}: the registry lets nobody in without credentials", _NO_LOGIN)
        found = Manifest(content=content, media_type="", blobs=()).digest
        said = wanted if wanted.startswith("sha256:") else response.headers.get("docker-content-digest", found)
        if found != said:
            raise FetchError(f"{self._client.named(url)}: expected {said}, found {found}", Expected(sums={}).otherwise)
        return content

    def _credentials(self, reference: Reference) -> dict[str, str]:
        with self._lock:
            token = self._tokens.get(f"{reference.host}/{reference.repository}")
        return {"Authorization": f"Bearer {token}"} if token else {}

    def _ask_for_token(self, reference: Reference, response: httpx.Response) -> None:
        challenge = response.headers.get("www-authenticate", "")
        said = dict(_PARAMETER.findall(challenge))
        realm = said.get("realm", "")
        if not challenge.lower().startswith("bearer ") or not realm.startswith(("https://", "http://")):
            raise FetchError(f"{reference.name}: the registry asks for credentials (`{challenge}`)", _NO_LOGIN)
        import httpx  # noqa: PLC0415  slow to import, and an extra

        scope = said.get("scope") or f"repository:{reference.repository}:pull"
        query = {"service": said.get("service", ""), "scope": scope}
        content, _ = self._client.read(str(httpx.URL(realm, params=query)), limit=_MAX_MANIFEST)
        try:
            given = json.loads(content)
            token = given.get("token") or given["access_token"]
        except (ValueError, KeyError, AttributeError) as error:
            raise FetchError(f"{realm}: no token in the answer", _NO_LOGIN) from error
        with self._lock:
            self._tokens[f"{reference.host}/{reference.repository}"] = str(token)

    def save(
        self, reference: Reference, manifest: Manifest, architecture: str, scratch: Path, hear: Hear = lambda _: None
    ) -> Path:
        """Write the OCI archive of an image into a folder, to the same bytes each time, and give its path."""
        scratch.mkdir(parents=True, exist_ok=True)
        blobs = {blob.digest: self._blob(reference, blob, scratch, hear) for blob in manifest.blobs}
        target = scratch / f"{manifest.digest.rpartition(':')[2]}.tar"
        with tarfile.open(target, "w", format=tarfile.USTAR_FORMAT) as archive:
            for name, content in layout(reference.name, manifest, architecture):
                member = tarfile.TarInfo(name)
                if isinstance(content, Blob):
                    member.size = content.size
                    with blobs[content.digest].open("rb") as stream:
                        archive.addfile(member, stream)
                else:
                    member.size = len(content)
                    archive.addfile(member, BytesIO(content))
        for path in blobs.values():
            path.unlink()
        return target

    def _blob(self, reference: Reference, blob: Blob, scratch: Path, hear: Hear) -> Path:
        algorithm, _, digest = blob.digest.partition(":")
        part = scratch / digest
        expected = Expected(sums={algorithm: digest}, size=blob.size)
        url, headers = reference.url("blobs", blob.digest), self._credentials(reference)
        download(self._client, url, part, expected, hear, headers=headers)
        return part


_NO_LOGIN = "imagegen pulls without logging in: name a mirror that lets anybody pull, by --mirror"


@contextmanager
def _about(reference: Reference) -> Iterator[None]:
    try:
        yield
    except ManifestError as error:
        raise FetchError(f"{reference.name}: {error}") from error
