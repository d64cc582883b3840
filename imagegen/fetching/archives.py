"""Package archives over the net: signed index, list of packages, each held to what the one above says of it."""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256

from imagegen.catalog.vendors import ArchiveFacts
from imagegen.fetching.client import Client
from imagegen.fetching.failure import FetchError, MissingError
from imagegen.fetching.trust import Trust
from imagegen.supply.debian import Archives, IndexFile, Release, read_release

_OPEN: dict[str, Callable[[bytes], bytes]] = {".xz": lzma.decompress, ".gz": gzip.decompress, "": bytes}


def add_repository(client: Client, archives: Archives, facts: ArchiveFacts, architecture: str, trust: Trust) -> None:
    """Add all packages of a repository; `FetchError` where its index is not signed by the keys, or is another one."""
    top = f"{facts.url}/dists/{facts.suite}" if facts.suite else facts.url
    release = _release(client, top, facts.keyrings, trust)
    if release.valid_until and parsedate_to_datetime(release.valid_until) < datetime.now(UTC):
        hint = "this mirror is not kept up to date, or somebody holds newer ones back: take another"
        raise FetchError(f"{client.named(top)}: its index was valid until {release.valid_until}", hint)
    folders = [f"{component}/binary-{architecture}/" for component in facts.components] or [""]
    for folder in folders:
        archives.add(facts.url, _packages(client, top, folder, release))


def _release(client: Client, top: str, keyrings: Sequence[str], trust: Trust) -> Release:
    index: tuple[bytes, bytes | None]
    try:
        index = client.read(f"{top}/InRelease")[0], None
    except MissingError:
        index = client.read(f"{top}/Release")[0], _detached(client, top)
    return read_release(trust.signed(client, top, index, keyrings).decode("utf-8", "replace"))


def _detached(client: Client, top: str) -> bytes:
    try:
        return client.read(f"{top}/Release.gpg")[0]
    except MissingError:
        return b""


def _packages(client: Client, top: str, folder: str, release: Release) -> str:
    for suffix, unpack in _OPEN.items():
        listed = release.files.get(f"{folder}Packages{suffix}")
        if listed is not None:
            return unpack(_index(client, top, listed, release)).decode("utf-8", "replace")
    raise FetchError(
        f"{client.named(top)}: its index lists no {folder}Packages", "is this architecture published there?"
    )


def _index(client: Client, top: str, listed: IndexFile, release: Release) -> bytes:
    folder = listed.path.rpartition("/")[0]
    addresses = [f"{top}/{listed.path}"]
    if release.by_hash:
        # By this name it stays the same while an archive is being updated.
        addresses.insert(0, f"{top}/{folder}/by-hash/SHA256/{listed.sha256}")
    for url in addresses:
        try:
            content = client.read(url)[0]
        except MissingError:
            if url == addresses[-1]:
                raise
            continue
        found = sha256(content).hexdigest()
        if found != listed.sha256:
            hint = "the archive is being updated, or a mirror lies: try again in some minutes"
            raise FetchError(f"{client.named(url)}: expected sha256 {listed.sha256}, found {found}", hint)
        return content
    raise AssertionError
