"""The lines of first boot in a log (`docs/first-boot.md`, Lines)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from imagegen.diagnosis.reading import Boot, Line

Mask = Callable[[str], str]
MARK = "imagegen: phase="
# It may stand behind a login prompt or a journal's prefix, and a line of the kernel's may stand behind it.
_EVENT = re.compile(
    re.escape(MARK) + r"(?P<phase>[a-z-]+)(?: step=(?P<step>\S+))? status=(?P<status>ok|waiting|retry|failed)"
    r" seconds=(?P<seconds>\d+\.\d)(?: reason=(?P<reason>[a-z-]+))?(?: message=(?P<message>\".*))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of first boot; `index`: where it stands in its boot."""

    phase: str
    step: str
    status: str
    seconds: float
    reason: str
    message: str
    line: Line
    index: int

    @property
    def name(self) -> str:
        return f"{self.phase}/{self.step}" if self.step else self.phase


def events_of(boot: Boot, mask: Mask) -> Iterator[Event]:
    """All of them in one boot, without secrets."""
    for index, line in enumerate(boot):
        for match in _EVENT.finditer(line.text) if MARK in line.text else ():
            yield Event(
                phase=match["phase"],
                step=match["step"] or "",
                status=match["status"],
                seconds=float(match["seconds"]),
                reason=match["reason"] or "",
                message=mask(_message(match["message"] or "")),
                line=line,
                index=index,
            )


def _message(quoted: str) -> str:
    """The JSON string, or of one that is cut off as much as there is."""
    if not quoted:
        return ""
    try:
        return str(json.JSONDecoder().raw_decode(quoted)[0])
    except ValueError:
        return f"{quoted[1:]}…"
