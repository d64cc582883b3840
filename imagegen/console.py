"""Reports and tables for a person, or as JSON for a program."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TextIO

from imagegen.diagnostics import Diagnostic, Report, Severity

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress


class Format(StrEnum):
    """How results are written."""

    TEXT = "text"
    JSON = "json"


_UNBOUNDED = 1000
_CONTROLS = dict.fromkeys(map(ord, "\a\b\v\f\r"))
_COLOURS = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow"}


def _console(*, stderr: bool) -> Console:
    from rich.console import Console  # noqa: PLC0415  slow to import, and JSON needs none of it

    # Paths and messages are the user's own text: no markup, no folding, so that they can be copied and matched.
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)
    if not console.is_terminal:
        # A pipe has no width: nothing may be cut to fit one.
        console.width = _UNBOUNDED
    return console


def say(text: str) -> None:
    """A line on standard output."""
    _print(text, sys.stdout)


def complain(text: str) -> None:
    """A line on standard error."""
    _print(text, sys.stderr)


def _print(text: str, stream: TextIO) -> None:
    # rich takes longer to import than a render takes, and plain lines need none of it but this: no control characters.
    stream.write(text.translate(_CONTROLS).expandtabs() + "\n")


def show_report(report: Report, form: Format) -> None:
    """The findings: as text on standard error, as JSON on standard output."""
    if form is Format.JSON:
        _console(stderr=False).print(json.dumps([_as_data(item) for item in report.diagnostics], indent=2))
        return
    sources = dict(report.sources)
    for diagnostic in report.diagnostics:
        _show(diagnostic, sources)


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
    from rich.text import Text  # noqa: PLC0415  as above

    console, position = _console(stderr=True), diagnostic.position
    place = f"{position.file}:{position.line}:{position.column}: " if position else ""
    colour = _COLOURS[diagnostic.severity]
    head = Text.assemble(place, (f"{diagnostic.severity}[{diagnostic.code}]", colour), f": {diagnostic.message}")
    console.print(head)
    if position and diagnostic.quotable and position.file in sources:
        lines = sources[position.file].split("\n")
        line = lines[position.line - 1] if position.line <= len(lines) else ""
        # A tab takes one column in a position and several on a screen.
        console.print(f"  {position.line:>4} | {line.replace(chr(9), ' ')}")
        console.print(Text.assemble(f"       | {' ' * (position.column - 1)}", ("^", colour)))
    if diagnostic.hint:
        console.print(f"       = {diagnostic.hint}")


def show_table(titles: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()) -> None:
    """A plain table; the columns named in `right` hold figures."""
    lines = [tuple(titles), *(tuple(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (
            cell.rjust(width) if title in right else cell.ljust(width)
            for title, cell, width in zip(titles, line, widths, strict=True)
        )
        say("  ".join(cells).rstrip())


class Bar:
    """A progress bar; where nobody watches there is none."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=total) if progress else None

    def step(self) -> None:
        """One more is done."""
        if self._progress and self._task is not None:
            self._progress.advance(self._task)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Make room for a message."""
        if self._progress is None:
            yield
            return
        self._progress.stop()
        yield
        self._progress.start()


@contextmanager
def progress(total: int) -> Iterator[Bar]:
    """A bar on standard error while something long goes on; on a terminal only, and gone at the end."""
    if not sys.stderr.isatty():
        yield Bar(None, total)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn  # noqa: PLC0415  as above

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=_console(stderr=True), transient=True) as shown:
        yield Bar(shown, total)
