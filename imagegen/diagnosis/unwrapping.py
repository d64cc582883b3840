"""What a cloud, a journal or a shell has put around a node's log is taken off again."""

from __future__ import annotations

import binascii
import json
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# Base64 of a console in JSON, saved by a shell that writes UTF-16: more layers than these are no accident.
MOST_LAYERS = 8
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]{64,}={0,2}\s*")
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
_LENGTH = 8
# A journal is cut off once at each end; what is no journal must not be searched for documents for ever.
_MOST_BROKEN = 100


def text_of(data: bytes) -> str:
    """Bytes as text, whatever they are; what a Windows shell saves is UTF-16."""
    if data.startswith(_BYTE_ORDER_MARKS):
        return data.decode("utf-16", errors="replace")
    return data.decode("utf-8-sig", errors="replace")


def parsed(text: str) -> Any:
    """What the text is as JSON; None where it is none."""
    if not text.lstrip().startswith(("{", "[", '"')):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def text_in(data: Any, keys: Sequence[str]) -> str | None:
    """The text that JSON is wrapped around: itself, or under one of the keys."""
    if isinstance(data, str):
        return data
    found = (data.get(key) for key in keys) if isinstance(data, dict) else ()
    return next((value for value in found if isinstance(value, str)), None)


def unbase64(text: str) -> bytes | None:
    """The bytes behind base64, if that is what all of the text is."""
    if not _BASE64.fullmatch(text):
        return None
    try:
        return b64decode("".join(text.split()), validate=True)
    except binascii.Error:
        return None


def journal_entries(data: bytes, text: str) -> list[tuple[str, str]] | None:
    """The entries of a journal in `-o json` or `-o export`, each with its boot; None where it is none of these."""
    entries = list(_documents(text)) if text.lstrip().startswith("{") else list(_exported(data))
    if not any("__REALTIME_TIMESTAMP" in entry or "_BOOT_ID" in entry for entry in entries):
        return None
    return [(str(entry.get("_BOOT_ID", "")), _as_printed(entry)) for entry in entries if "MESSAGE" in entry]


def _as_printed(entry: Mapping[str, Any]) -> str:
    """With who said it in front, as `journalctl` prints it."""
    who = entry.get("SYSLOG_IDENTIFIER")
    return f"{who}[{entry.get('_PID', '')}]: {_message(entry['MESSAGE'])}" if who else _message(entry["MESSAGE"])


def _message(value: Any) -> str:
    """The journal gives what is no plain text as a list of bytes."""
    if isinstance(value, list):
        return bytes(item for item in value if isinstance(item, int) and 0 <= item < 256).decode(errors="replace")  # noqa: PLR2004
    return str(value)


def _documents(text: str) -> Iterator[dict[str, Any]]:
    """One JSON document after the other; what is cut off or no JSON is left out, line by line."""
    decoder, position, broken = json.JSONDecoder(), 0, 0
    while broken < _MOST_BROKEN and (position := text.find("{", position)) >= 0:
        try:
            document, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            broken += 1
            position += 1
            continue
        if isinstance(document, dict):
            yield document


def _exported(data: bytes) -> Iterator[dict[str, str]]:
    """The journal's export format: `NAME=text`, or `NAME`, a length and bytes; an empty line behind each entry."""
    if b"__CURSOR=" not in data[:4096]:
        return
    entry: dict[str, str] = {}
    position = 0
    while position < len(data):
        end = data.find(b"\n", position)
        end = len(data) if end < 0 else end
        name, equals, value = data[position:end].partition(b"=")
        position = end + 1
        if not name and not equals:
            yield entry
            entry = {}
            continue
        if not equals:
            length = int.from_bytes(data[position : position + _LENGTH], "little")
            value = data[position + _LENGTH : position + _LENGTH + length]
            position += _LENGTH + length + 1
        entry[name.decode(errors="replace")] = value.decode(errors="replace")
    yield entry
