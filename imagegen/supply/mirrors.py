"""Mirrors put in at run time: a lock holds the vendors' own addresses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mirrors:
    """Pairs of an address's beginning and what takes its place."""

    pairs: tuple[tuple[str, str], ...] = ()

    def apply(self, url: str) -> str:
        """The address to be asked instead; of several that fit, the longest beginning wins."""
        fitting = [(old, new) for old, new in self.pairs if _begins(url, old)]
        if not fitting:
            return url
        old, new = max(fitting, key=lambda pair: len(pair[0]))
        return new + url[len(old) :]


def read_mirrors(texts: Iterable[str]) -> Mirrors:
    """Mirrors as `OLD=NEW`; `ValueError` with the text that has another form."""
    pairs = []
    for text in texts:
        old, equals, new = text.partition("=")
        if not equals or not _is_address(old) or not _is_address(new):
            raise ValueError(text)
        pairs.append((old.rstrip("/"), new.rstrip("/")))
    return Mirrors(tuple(pairs))


def _is_address(text: str) -> bool:
    scheme, separator, rest = text.partition("://")
    return scheme in ("http", "https") and bool(separator) and bool(rest.strip("/"))


def _begins(url: str, beginning: str) -> bool:
    # https://a.example must not take https://a.example.net.
    return url == beginning or url.startswith(f"{beginning}/")
