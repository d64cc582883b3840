"""Reports and tables for a person, or as JSON for a program."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, TextIO

from imagegen.diagnostics import Diagnostic, Report, Severity


class Format(StrEnum):
    """How results are written."""

    TEXT = "text"
    JSON = "json"


_COLOURS = {Severity.ERROR: "1;31", Severity.WARNING: "1;33"}
# What a terminal obeys, or what turns the direction of a line: it comes with the user's own text.
_UNPRINTABLE = dict.fromkeys(
    (
        *range(0x09),
        *range(0x0B, 0x20),
        *range(0x7F, 0xA0),
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
    ),
    "\ufffd",
)
_WIDE = frozenset("WF")


def say(text: str) -> None:
    """A line on standard output."""
    _write(sys.stdout, _printable(text))


def complain(text: str) -> None:
    """A line on standard error."""
    _write(sys.stderr, _printable(text))


def show_json(data: Any) -> None:
    """The one document of a run whose output a program reads."""
    _write(sys.stdout, json.dumps(data, indent=2))


def show_report(report: Report, form: Format = Format.TEXT) -> None:
    """The findings: as text on standard error, as JSON on standard output."""
    if form is Format.JSON:
        show_json(report_as_data(report))
        return
    sources = dict(report.sources)
    for diagnostic in report.diagnostics:
        _show(diagnostic, sources)


def report_as_data(report: Report) -> list[dict[str, Any]]:
    """The findings, for JSON."""
    return [_as_data(diagnostic) for diagnostic in report.diagnostics]


def _as_data(diagnostic: Diagnostic) -> dict[str, Any]:
    position = diagnostic.position
    return {
        "severity": str(diagnostic.severity),
        "code": diagnostic.code,
        "message": diagnostic.message,
        "hint": diagnostic.hint,
        "path": list(diagnostic.path),
        "file": position.file if position else None,
        "line": position.line if position else None,
        "column": position.column if position else None,
    }


def _show(diagnostic: Diagnostic, sources: dict[str, str]) -> None:
    position = diagnostic.position
    place = f"{position.file}:{position.line}:{position.column}: " if position else ""
    colour = _COLOURS[diagnostic.severity]
    kind = _coloured(f"{diagnostic.severity}[{diagnostic.code}]", colour)
    _write(sys.stderr, f"{_printable(place)}{kind}: {_printable(diagnostic.message)}")
    if position and diagnostic.quotable and position.file in sources:
        lines = sources[position.file].split("\n")
        line = lines[position.line - 1].rstrip("\r") if position.line <= len(lines) else ""
        # A tab takes one column in a position and several on a screen.
        complain(f"  {position.line:>4} | {line.replace(chr(9), ' ')}")
        before = " " * _width(line[: position.column - 1].ljust(position.column - 1))
        _write(sys.stderr, f"       | {before}{_coloured('^', colour)}")
    if diagnostic.hint:
        complain(f"       = {diagnostic.hint}")


def show_table(titles: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()) -> None:
    """A plain table; the columns named in `right` hold figures."""
    for line in table_lines(titles, rows, right=right):
        say(line)


def table_lines(titles: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()) -> tuple[str, ...]:
    """The lines of a plain table, as wide as its cells: nothing is cut or folded to fit a screen."""
    cells = [[_printable(cell) for cell in row] for row in (titles, *rows)]
    widths = [max(_width(cell) for cell in column) for column in zip(*cells, strict=True)]

    def aligned(cell: str, number: int) -> str:
        padding = " " * (widths[number] - _width(cell))
        return padding + cell if titles[number] in right else cell + padding

    return tuple("  ".join(aligned(cell, number) for number, cell in enumerate(row)).rstrip() for row in cells)


def _write(stream: TextIO, text: str) -> None:
    stream.write(f"{text}\n")
    # Lines of both streams come in the order in which they were said.
    stream.flush()


def _printable(text: str) -> str:
    return text.translate(_UNPRINTABLE)


def _width(text: str) -> int:
    """Columns on a screen."""
    if text.isascii():
        return len(text)
    import unicodedata  # noqa: PLC0415  few texts need it

    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in _WIDE else 1 for c in text)


def _coloured(text: str, colour: str) -> str:
    """On a terminal that takes colours, unless the user wants none (https://no-color.org)."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not sys.stderr.isatty()
    return text if plain else f"\x1b[{colour}m{text}\x1b[0m"
