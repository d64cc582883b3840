"""rpm repositories over the net: signed index, list of packages, each held to what the one above says of it."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from pathlib import Path

from imagegen.catalog.vendors import ArchiveFacts
from imagegen.fetching.client import Client
from imagegen.fetching.failure import FetchError, MissingError
from imagegen.fetching.trust import Trust
from imagegen.supply.repomd import ListedFile, RepomdError, read_repomd


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A repository whose index was read; `scratch` is where its lists are unpacked."""

    client: Client
    url: str
    listed: Mapping[str, ListedFile]
    scratch: Path

    def unpacked(self, kind: str) -> Path:
        """A list of packages, such as `primary`, as a file of XML; `FetchError` if it is not what the index says."""
        if kind not in self.listed:
            raise FetchError(f"{self.client.named(self.url)}: its index lists no {kind} with a SHA-256", _OTHER)
        file = self.listed[kind]
        path = self.scratch / f"{sha256(self.url.encode()).hexdigest()}-{kind}.xml"
        if not path.exists():
            url = f"{self.url}/{file.path}"
            content = self.client.read(url)[0]
            found = sha256(content).hexdigest()
            if found != file.sha256:
                hint = "the repository is being updated, or a mirror lies: try again in some minutes"
                raise FetchError(f"{self.client.named(url)}: expected sha256 {file.sha256}, found {found}", hint)
            path.write_bytes(_unpack(url, content))
        return path


_OTHER = "take another mirror of it: repositories that createrepo_c makes have one"


def open_repository(client: Client, facts: ArchiveFacts, trust: Trust, scratch: Path) -> Repository:
    """The index of a repository; its signature is repomd.xml.asc, which not every vendor makes."""
    top = f"{facts.url}/repodata/repomd.xml"
    content = client.read(top)[0]
    try:
        signature = client.read(f"{top}.asc")[0]
    except MissingError:
        trust.unchecked(client, top, "there is none beside it (repomd.xml.asc)")
    else:
        content = trust.signed(client, top, (content, signature), facts.keyrings)
    try:
        listed = read_repomd(content)
    except RepomdError as error:
        raise FetchError(f"{client.named(top)}: {error}", _OTHER) from error
    return Repository(client=client, url=facts.url, listed=listed, scratch=scratch)


def _unpack(url: str, content: bytes) -> bytes:
    known: dict[str, Callable[[bytes], bytes]] = {
        ".gz": gzip.decompress,
        ".xz": lzma.decompress,
        ".bz2": bz2.decompress,
        ".zst": _unpack_zstd,
        ".xml": bytes,
    }
    unpack = next((known[suffix] for suffix in known if url.endswith(suffix)), None)
    if unpack is None:
        raise FetchError(f"{url}: it is compressed in a way that imagegen does not know", _OTHER)
    try:
        return unpack(content)
    except ImportError as error:
        hint = "Python 3.14 reads that; an older one with `pip install backports.zstd`"
        raise FetchError(f"{url}: it is compressed by zstd", hint) from error


def _unpack_zstd(content: bytes) -> bytes:
    try:
        module = import_module("compression.zstd")
    except ImportError:
        module = import_module("backports.zstd")
    return bytes(module.decompress(content))
