"""What did not come over the net as it should have."""

from __future__ import annotations


class FetchError(Exception):
    """What was asked, what was expected and found, and what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}\n    {hint}" if hint else message)


class MissingError(FetchError):
    """The server has nothing at an address."""


class StoppedError(Exception):
    """Somebody else of the same run failed, or the user had enough."""
