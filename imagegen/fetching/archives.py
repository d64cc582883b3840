"""Package archives over the net: signed index, list of packages, each held to what the one above says of it."""

from __future__ import annotations

import gzip
import lzma
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from pathlib import Path

from imagegen.catalog.vendors import ArchiveFacts
from imagegen.fetching.client import Client
from imagegen.fetching.failure import FetchError, MissingError
from imagegen.fetching.signatures import SignatureError, usable, verify
from imagegen.supply.debian import Archives, IndexFile, Release, read_release

_OPEN: dict[str, Callable[[bytes], bytes]] = {".xz": lzma.decompress, ".gz": gzip.decompress, "": bytes}
Note = Callable[[str], None]
"""Is told what a person should know of an index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Keys beside those that a system has, and who hears of an index that nobody could check."""

    keyrings: Sequence[Path] = ()
    note: Note = lambda _: None


def add_repository(client: Client, archives: Archives, facts: ArchiveFacts, architecture: str, trust: Trust) -> None:
    """Add all packages of a repository; `FetchError` where its index is not signed by the keys, or is another one."""
    top = f"{facts.url}/dists/{facts.suite}" if facts.suite else facts.url
    release = _release(client, top, [*trust.keyrings, *map(Path, facts.keyrings)], trust.note)
    if release.valid_until and parsedate_to_datetime(release.valid_until) < datetime.now(UTC):
        hint = "this mirror is not kept up to date, or somebody holds newer ones back: take another"
        raise FetchError(f"{client.named(top)}: its index was valid until {release.valid_until}", hint)
    folders = [f"{component}/binary-{architecture}/" for component in facts.components] or [""]
    for folder in folders:
        archives.add(facts.url, _packages(client, top, folder, release))


def _release(client: Client, top: str, keyrings: Sequence[Path], note: Note) -> Release:
    try:
        signed, detached = client.read(f"{top}/InRelease")[0], None
    except MissingError:
        signed, detached = client.read(f"{top}/Release")[0], _detached(client, top)
    reason = usable(keyrings)
    if reason:
        _accept(client, top, reason)
        note(f"{top}: its signature was not checked: {reason}")
        return read_release(signed.decode("utf-8", "replace"))
    try:
        with tempfile.TemporaryDirectory() as scratch:
            signed = verify(signed, detached, keyrings, Path(scratch))
    except SignatureError as error:
        hint = "do not use what is there; --keyring names the vendor's key, if it has a new one"
        raise FetchError(f"{client.named(top)}: its index has no good signature: {error}", hint) from error
    return read_release(signed.decode("utf-8", "replace"))


def _accept(client: Client, top: str, reason: str) -> None:
    """Refuse what nobody checked, where even its vendor has it on plain HTTP: anybody may have sent it."""
    if top.startswith("http://") and client.address(top).startswith("http://"):
        hint = (
            "install the vendor's keyring (ubuntu-keyring), name it by --keyring, or name an https mirror by --mirror"
        )
        raise FetchError(
            f"{client.named(top)}: it came by plain HTTP, and its signature was not checked: {reason}", hint
        )


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
