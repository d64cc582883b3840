"""What Packer's lines say of its progress."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE = re.compile(r"^(?:\S+Z: )?(?P<arrow>==> | +)(?P<builder>[\w-]+\.[\w-]+\.[\w-]+): ?(?P<text>.*)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of one builder; a `phase` is a step of Packer's own, everything else a program's output."""

    builder: str
    text: str
    phase: bool


def read_line(text: str) -> Line | None:
    """The line, if it is a builder's."""
    found = _LINE.match(text)
    if found is None:
        return None
    return Line(builder=found["builder"], text=found["text"], phase=found["arrow"].startswith("=="))
