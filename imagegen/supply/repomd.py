"""The index of an rpm repository: which files it lists, by what they are. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from xml.etree import ElementTree as ET

from imagegen.frozen import dataclass

# createrepo_c's documentation and dnf's reader: the one name space of repomd.xml.
_SPACE = "{http://linux.duke.edu/metadata/repo}"


class RepomdError(ValueError):
    """Not the index of a repository, or one without what is needed; the text says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFile:
    """A file that the index lists, relative to the repository's address."""

    path: str
    sha256: str


def read_repomd(content: bytes) -> Mapping[str, ListedFile]:
    """The listed files by what they are, such as `primary`; those without a SHA-256 are left out."""
    try:
        root = ET.fromstring(content)  # noqa: S314  expat bounds what entities may grow to
    except ET.ParseError as error:
        raise RepomdError(f"it is no XML: {error}") from error
    if root.tag != f"{_SPACE}repomd":
        raise RepomdError("it is no index of a repository")
    found = {}
    for data in root.iter(f"{_SPACE}data"):
        location, checksum = data.find(f"{_SPACE}location"), data.find(f"{_SPACE}checksum")
        if location is not None and checksum is not None and checksum.get("type") == "sha256":
            path, digest = location.get("href", ""), (checksum.text or "").strip()
            found[data.get("type", "")] = ListedFile(path=path, sha256=digest)
    return found
