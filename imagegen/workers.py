"""Spreads work over the processors."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from types import TracebackType
from typing import Self, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# Small batches keep the processors busy to the end, and large ones keep the talk between them short.
_BATCH = 8
_BATCHES_AHEAD = 4


class Workers:
    """A process for each processor that this one may use, for the length of a `with` block."""

    def __init__(self) -> None:
        # `fork` shares what is imported and read already; where there is none, each worker starts from nothing.
        method = "fork" if "fork" in multiprocessing.get_all_start_methods() else None
        self._count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        gc.enable()
        self._pool = ProcessPoolExecutor(self._count, multiprocessing.get_context(method), _begin)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._pool.shutdown(cancel_futures=True)
        if isinstance(error, BrokenProcessPool):
            raise OSError("a worker was killed, perhaps for want of memory") from error

    def spread(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """The results in the order of the items; only a few are under way at once, whatever their number."""
        waiting = iter(items)
        under_way: deque[Future[list[Result]]] = deque()
        while True:
            while len(under_way) < self._count * _BATCHES_AHEAD and (batch := list(islice(waiting, _BATCH))):
                under_way.append(self._pool.submit(_do, function, batch))
            if not under_way:
                return
            yield from under_way.popleft().result()


def _do(function: Callable[[Item], Result], items: list[Item]) -> list[Result]:
    return [function(item) for item in items]


def _begin() -> None:
    gc.enable()
    # Ctrl-C is the parent's to answer.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
