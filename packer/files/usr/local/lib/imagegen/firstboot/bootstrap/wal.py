"""Reads etcd's write-ahead log, as far as it takes to know whether anything was ever written to it.

Frames and records as in server/storage/wal (encoder.go, record.proto) of etcd 3.6 and 3.7; another form counts as use.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

# A frame's length takes seven bytes; the eighth says how many bytes follow that only fill it up.
_LENGTH, _SIZE, _PADDING = 8, (1 << 56) - 1, 7
# A record begins with its type, and ends with its data.
_METADATA, _CRC, _SNAPSHOT = (bytes((0x08, kind)) for kind in (1, 4, 5))
_NO_SNAPSHOT = bytes((0x1A, 4, 0x08, 0, 0x10, 0))
_HEAD = 3
# As much as etcd writes at once, and far more than the head.
_PAGE = 4096


def is_blank(folder: Path) -> bool:
    """True for a log that etcd has made and not yet used: no vote, no entry, nothing taken from a leader.

    Anything that cannot be read, or is not known, counts as use.
    """
    try:
        (only,) = folder.glob("*.wal")
        with only.open("rb") as file:
            records = list(_records(file.read(_PAGE)))
    except (OSError, ValueError):
        return False
    return len(records) == _HEAD and all(_is_quiet(record) for record in records)


def _records(content: bytes) -> Iterator[bytes]:
    ends = len(content) < _PAGE
    # Behind the last record are zeros, unless there was no room to make the file longer.
    while frame := int.from_bytes(content[:_LENGTH], "little"):
        size = frame & _SIZE
        yield content[_LENGTH : _LENGTH + size]
        content = content[_LENGTH + size + (frame >> 56 & _PADDING) :]
    if len(content) < _LENGTH and (content or not ends):
        raise ValueError("the head of the log has no end")


def _is_quiet(record: bytes) -> bool:
    """What every log begins with: a checksum to start from, who the member is, and that there is no snapshot."""
    return record.startswith((_CRC, _METADATA)) or (record.startswith(_SNAPSHOT) and record.endswith(_NO_SNAPSHOT))
