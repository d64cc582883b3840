"""What a long run shows while it goes on: a line for each worker on a terminal, a line for each phase elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.progress import Progress as Bars
    from rich.progress import ProgressColumn, TaskID
    from rich.table import Table

_PER_SECOND = 4


@dataclass(slots=True)
class _Worker:
    phase: str = ""
    last: str = ""
    ended: bool = False


class _Lines:
    """Lines on standard error that a terminal shows anew while the block lasts; `_table` is what it shows."""

    def __init__(self) -> None:
        from rich.console import Console  # noqa: PLC0415  slow to import

        self._console: Console = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)
        self._live: Live | None = None
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            from rich.live import Live  # noqa: PLC0415  as above

            self._live = Live(get_renderable=self._table, console=self._console, refresh_per_second=_PER_SECOND)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def _say(self, text: str) -> None:
        """A line of its own, with the time since the start, where nothing is drawn anew."""
        if self._live is None:
            self._console.print(f"{self._elapsed()}  {text}")

    def _elapsed(self) -> str:
        return f"{time.monotonic() - self._started:5.0f} s"

    def _table(self) -> Table:
        raise NotImplementedError


class Progress(_Lines):
    """Workers with their phase, the time since the start, and the last that they said; on standard error."""

    def __init__(self) -> None:
        super().__init__()
        self._workers: dict[str, _Worker] = {}

    def show(self, worker: str, text: str, *, phase: bool) -> None:
        """A worker has begun a phase, or has said something in it."""
        state = self._workers.setdefault(worker, _Worker())
        if not phase:
            state.last = text.strip()
            return
        state.phase, state.last = text, ""
        self._say(f"{worker}: {text}")

    def _table(self) -> Table:
        from rich.table import Table  # noqa: PLC0415  as above

        table = Table.grid(padding=(0, 2))
        for column in ("elapsed", "worker", "phase", "last"):
            table.add_column(column, no_wrap=True, overflow="ellipsis")
        for worker, state in self._workers.items():
            table.add_row(self._elapsed(), worker, state.phase, state.last)
        return table


class Board(_Lines):
    """A line for each of several things at once: drawn anew on a terminal, a line for each change elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[str, tuple[tuple[str, ...], float]] = {}

    def show(self, name: str, cells: tuple[str, ...]) -> None:
        """What is to say of a thing now."""
        if name in self._rows and self._rows[name][0] == cells:
            return
        self._rows[name] = cells, time.monotonic()
        self._say(f"{name}: {'  '.join(filter(None, cells))}")

    def _table(self) -> Table:
        from rich.table import Table  # noqa: PLC0415  as above

        table = Table.grid(padding=(0, 2))
        table.add_column("seconds", no_wrap=True, justify="right")
        width = max((len(cells) for cells, _ in self._rows.values()), default=0)
        for number in range(width + 1):
            table.add_column(str(number), no_wrap=number < width, overflow="fold")
        for name, (cells, since) in self._rows.items():
            table.add_row(f"{time.monotonic() - since:.0f} s", name, *cells)
        return table


class _Bar:
    """One bar on a terminal, gone at the end; nothing elsewhere. `columns` gives what it consists of."""

    def __init__(self, total: int | None, columns: Callable[[], tuple[ProgressColumn, ...]]) -> None:
        self._total, self._columns = total, columns
        self._shown: Bars | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console  # noqa: PLC0415  as above
            from rich.progress import Progress as Shown  # noqa: PLC0415

            console = Console(stderr=True, highlight=False, markup=False, emoji=False)
            self._shown = Shown(*self._columns(), console=console, transient=True)
            self._task = self._shown.add_task("", total=self._total)
            self._shown.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown is not None:
            self._shown.stop()

    def _advance(self, by: int) -> None:
        if self._shown is not None and self._task is not None:
            self._shown.advance(self._task, by)


class Transfer(_Bar):
    """Bytes that come, of so many: a bar with the rate on a terminal, a line for each file that is there elsewhere.

    Any number of threads may tell of them.
    """

    def __init__(self, total: int | None) -> None:
        super().__init__(total, _of_bytes)

    def hear(self, size: int) -> None:
        """So many bytes more are there."""
        self._advance(size)

    def say(self, text: str) -> None:
        """What is being done, or is done."""
        if self._shown is not None and self._task is not None:
            self._shown.update(self._task, description=text)
        else:
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()


class Bar(_Bar):
    """A progress bar of things that are done, on standard error."""

    def __init__(self, total: int) -> None:
        super().__init__(total, _of_things)

    def step(self) -> None:
        """One more is done."""
        self._advance(1)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Make room for a message."""
        if self._shown is None:
            yield
            return
        self._shown.stop()
        yield
        self._shown.start()


def _of_bytes() -> tuple[ProgressColumn, ...]:
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn  # noqa: PLC0415  as above

    words = TextColumn("{task.description}", markup=False)
    return (BarColumn(), DownloadColumn(), TransferSpeedColumn(), words)


def _of_things() -> tuple[ProgressColumn, ...]:
    from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn  # noqa: PLC0415  as above

    return (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
