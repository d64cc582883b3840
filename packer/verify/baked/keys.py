"""The fingerprints of OpenPGP keys, for a machine that has no gpg."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PUBLIC_KEY = 6
_VERSION = 4


def fingerprints(key: bytes) -> set[str]:
    """The fingerprints of all primary keys in a file, in upper case; `ValueError` for what is no key of version 4.

    Source of the format: RFC 4880, 4.2 (packets), 5.5.2 (keys), 6.2 (armor), 12.2 (fingerprints).
    """
    found = set()
    for tag, body in _packets(_bare(key)):
        if tag == _PUBLIC_KEY:
            if body[:1] != bytes([_VERSION]):
                raise ValueError("a key that is not of version 4")
            digest = hashlib.sha1(b"\x99" + len(body).to_bytes(2, "big") + body)  # noqa: S324  the format's own
            found.add(digest.hexdigest().upper())
    if not found:
        raise ValueError("no key")
    return found


def _bare(key: bytes) -> bytes:
    if not key.lstrip().startswith(b"-----BEGIN"):
        return key
    blocks, inside = b"", False
    lines: list[str] = []
    for line in key.decode("ascii", "replace").splitlines():
        if line.startswith("-----BEGIN"):
            lines, inside = [], False
        elif line.startswith("-----END"):
            blocks += base64.b64decode("".join(lines))
        elif not inside:
            inside = not line.strip()
        elif not line.startswith("="):
            lines.append(line.strip())
    return blocks


def _packets(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        first = data[at]
        if not first & 0x80:
            raise ValueError("no OpenPGP packet")
        tag, start, length = _new_header(data, at) if first & 0x40 else _old_header(data, at)
        if start + length > len(data):
            raise ValueError("a packet is cut off")
        yield tag, data[start : start + length]
        at = start + length


def _old_header(data: bytes, at: int) -> tuple[int, int, int]:
    kind = data[at] & 3
    if kind == 3:  # noqa: PLR2004  up to the end of the file, wherever that is
        raise ValueError("a packet of no certain length")
    width = 1 << kind
    return (data[at] >> 2) & 15, at + 1 + width, int.from_bytes(data[at + 1 : at + 1 + width], "big")


def _new_header(data: bytes, at: int) -> tuple[int, int, int]:
    tag, first = data[at] & 63, data[at + 1]
    if first < 192:  # noqa: PLR2004  the format's own bounds
        return tag, at + 2, first
    if first < 224:  # noqa: PLR2004
        return tag, at + 3, ((first - 192) << 8) + data[at + 2] + 192
    if first == 255:  # noqa: PLR2004
        return tag, at + 6, int.from_bytes(data[at + 2 : at + 6], "big")
    raise ValueError("a packet in parts")
