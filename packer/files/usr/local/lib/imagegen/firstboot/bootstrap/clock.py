"""Time and chance, in one place so that tests can stand in for both."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass


class Clock:
    """What the machine's clock says, and how to wait."""

    def now(self) -> float:
        return time.time()

    def elapsed(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def spread(self, seconds: float) -> float:
        """A delay somewhere near this one, so that a hundred nodes do not knock at the same moment."""
        return seconds * random.uniform(0.8, 1.2)  # noqa: S311


@dataclass(frozen=True)
class Backoff:
    """Delays that grow up to a cap."""

    first: float
    factor: float
    cap: float

    def delay(self, count: int) -> float:
        # Bounded, since a power of thousands of waits would no longer be a float.
        return min(self.cap, self.first * self.factor ** min(count, 50))


def timestamp(seconds: float) -> str:
    """Seconds since the epoch as RFC 3339 in UTC."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
