"""Standard streams that nothing can break: closed ones, readers that leave, characters that cannot be encoded."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Pipe(io.FileIO):
    """A stream whose reader may leave: what is written after that goes nowhere, and the work goes on."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data) or 0
        except OSError as error:
            # What is still buffered would fail once more when the program ends.
            _discard(self.fileno())
            if isinstance(error, BrokenPipeError):
                return memoryview(data).nbytes
            error.filename = {1: "standard output", 2: "standard error"}[self.fileno()]
            raise


def protect_streams() -> None:
    """Make the three standard streams safe to use, whatever the program was started with."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free descriptor is this one: no file of ours may take its place, and its lines.
            os.open(os.devnull, os.O_RDWR)
    sys.stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115  it is open as long as the program runs
    sys.stdout, sys.stderr = _stream(1, sys.stdout), _stream(2, sys.stderr)


def _stream(descriptor: int, old: TextIO | None) -> TextIO:
    raw = _Pipe(descriptor, "w", closefd=False)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=old.encoding if old else "utf-8",
        errors="backslashreplace",
        line_buffering=raw.isatty() or descriptor == 2,  # noqa: PLR2004  standard error
    )


def _discard(descriptor: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
