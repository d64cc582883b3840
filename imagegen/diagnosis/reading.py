"""A file that a node left becomes lines, boot by boot, whatever it is wrapped in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any

from imagegen.catalog.symptoms import SymptomTables
from imagegen.diagnosis.unwrapping import MOST_LAYERS, journal_entries, parsed, text_in, text_of, unbase64

MAX_BYTES = 16 << 20
# Longer lines are binary rubbish, or somebody's data: no search may take for ever on them.
_LONGEST = 4096
# Colours, cursor movements, titles, character sets; then what else a terminal would not show.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\r\n]*(?:\x07|\x1b\\)?|[()#%*+][\w@]|[ -/]*[0-~])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# The kernel's first words, and how journalctl and serial consoles say that another boot begins.
_BOOT = re.compile(r"(?:^|[\] ])Linux version \d|^-- (?:Boot [0-9a-f]{32}|Reboot) --$")


class Kind(StrEnum):
    """What the file is."""

    CONSOLE = "console log"
    JOURNAL = "journal"
    STATUS = "status.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a log, by its number in the unwrapped text."""

    number: int
    text: str


Boot = tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """What one node left: lines by boot, or its status; `identity`: what the cloud calls the machine."""

    name: str
    kind: Kind
    boots: tuple[Boot, ...] = ()
    status: Mapping[str, Any] | None = None
    identity: str = ""


def read_log(name: str, data: bytes, tables: SymptomTables) -> Log:
    """What the bytes are is told by what is in them."""
    identity = ""
    for _ in range(MOST_LAYERS):
        text = text_of(data)
        document = parsed(text)
        if isinstance(document, dict) and isinstance(document.get("phases"), list):
            return Log(name=name, kind=Kind.STATUS, status=document, identity=identity)
        inner = text_in(document, tables.wrappings)
        if inner is not None:
            identity = text_in(document, tables.identities) or identity if isinstance(document, dict) else identity
            data = inner.encode(errors="replace")
        elif (unpacked := unbase64(text)) is not None:
            data = unpacked
        else:
            break
    text = text_of(data)
    if (entries := journal_entries(data, text)) is not None:
        return Log(name=name, kind=Kind.JOURNAL, boots=_of_journal(entries), identity=identity)
    return Log(name=name, kind=Kind.CONSOLE, boots=_of_console(_clean_lines(text)), identity=identity)


def _clean_lines(text: str) -> Iterable[Line]:
    for number, line in enumerate(text.split("\n"), 1):
        # A carriage return alone begins the line anew: what was written over counts, too.
        for part in _ESCAPES.sub("", line).split("\r"):
            if clean := _CONTROLS.sub("", part)[:_LONGEST].rstrip():
                yield Line(number=number, text=clean)


def _of_console(lines: Iterable[Line]) -> tuple[Boot, ...]:
    boots: list[list[Line]] = [[]]
    for line in lines:
        if _BOOT.search(line.text) and boots[-1]:
            boots.append([])
        boots[-1].append(line)
    return tuple(tuple(boot) for boot in boots)


def _of_journal(entries: Iterable[tuple[str, str]]) -> tuple[Boot, ...]:
    numbered = enumerate(entries, 1)
    return tuple(
        tuple(Line(number=number, text=line.text) for number, (_, message) in boot for line in _clean_lines(message))
        for _, boot in groupby(numbered, lambda item: item[1][0])
    )
