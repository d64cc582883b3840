"""What etcd's first moment leaves behind: a log that has been made, and no more."""

from __future__ import annotations

import os
from pathlib import Path

_HEAD = 3


def blank(member: Path, *, records: int = _HEAD) -> None:
    """Take everything behind so many records out of a member's log, and its database, as if power had failed then.

    Three stand in each new log (`wal.Create` in etcd's server/storage/wal/wal.go); the file keeps its size. From a
    database that has come further etcd would learn again who votes.
    """
    (member / "snap/db").unlink()
    (log,) = (member / "wal").glob("*.wal")
    content = log.read_bytes()
    end = 0
    for _ in range(records):
        frame = int.from_bytes(content[end : end + 8], "little")
        end += 8 + (frame & ((1 << 56) - 1)) + (frame >> 56 & 7)
    os.truncate(log, end)
    os.truncate(log, len(content))
