"""Whose word is taken of an index: that of a signature, or with a warning that of the server."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from imagegen.fetching.client import Client
from imagegen.fetching.failure import FetchError
from imagegen.fetching.signatures import SignatureError, usable, verify

Note = Callable[[str], None]
"""Is told what a person should know of an index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Keys beside those that a system has, and who hears of an index that nobody could check."""

    keyrings: Sequence[Path] = ()
    note: Note = lambda _: None

    def signed(self, client: Client, top: str, index: tuple[bytes, bytes | None], keyrings: Sequence[str]) -> bytes:
        """What is in an index, `top` its address, with its signature if that is apart; `FetchError` for a bad one."""
        content, signature = index
        keys = [*self.keyrings, *map(Path, keyrings)]
        reason = usable(keys)
        if reason:
            self.unchecked(client, top, reason)
            return content
        try:
            with tempfile.TemporaryDirectory() as scratch:
                return verify(content, signature, keys, Path(scratch))
        except SignatureError as error:
            hint = "do not use what is there; --keyring names the vendor's key, if it has a new one"
            raise FetchError(f"{client.named(top)}: its index has no good signature: {error}", hint) from error

    def unchecked(self, client: Client, top: str, reason: str) -> None:
        """Say what nobody checked; refuse it where even its vendor has it on plain HTTP: anybody may have sent it."""
        if top.startswith("http://") and client.address(top).startswith("http://"):
            hint = "install the vendor's keyring (ubuntu-keyring), name it by --keyring, or an https mirror by --mirror"
            message = f"{client.named(top)}: it came by plain HTTP, and its signature was not checked: {reason}"
            raise FetchError(message, hint)
        self.note(f"{top}: its signature was not checked: {reason}")
