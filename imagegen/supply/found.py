"""A package as an archive has it, whatever its format."""

from __future__ import annotations

from imagegen.frozen import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPackage:
    """What an index says of a package; `suffix` of its file, `size` in bytes."""

    name: str
    version: str
    url: str
    sha256: str
    size: int
    suffix: str
