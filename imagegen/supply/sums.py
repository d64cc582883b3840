"""What vendors say of their files: lists of hashes in the forms of sha256sum and its kin."""

from __future__ import annotations

import re

_ALGORITHMS = {64: "sha256", 128: "sha512"}
_LINE = re.compile(r"(?:[0-9a-f]{64}|[0-9a-f]{128})(?:\s+\*?(?P<name>\S+))?")
_BSD = re.compile(r"SHA(?:256|512) \((?P<name>[^)]+)\) = (?P<sum>[0-9a-f]{64,128})")


def find_sum(text: str, name: str) -> dict[str, str]:
    """The hash of a file by its algorithm, in a list or in a text that is nothing but a hash; empty: there is none."""
    for line in map(str.strip, text.lower().splitlines()):
        if bsd := _BSD.fullmatch(line.replace("sha", "SHA")):
            said, digest = bsd["name"], bsd["sum"]
        elif plain := _LINE.fullmatch(line):
            said, digest = plain["name"] or "", line.split()[0]
        else:
            continue
        if not said or said.rpartition("/")[2] == name.lower():
            return {_ALGORITHMS[len(digest)]: digest}
    return {}
