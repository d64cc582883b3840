"""The three ways in which a phase does not succeed."""

from __future__ import annotations

from bootstrap.reasons import NEXT_STEPS


class Trouble(Exception):  # noqa: N818  # neither of the three is always an error
    """Something that stands in the way, with its code and what to do about it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.next_step = NEXT_STEPS[reason]


class NotYet(Trouble):
    """What the phase waits for is not there yet."""


class Retry(Trouble):
    """A try failed; another one may succeed."""


class Final(Trouble):
    """No further try can succeed until somebody changes something."""
