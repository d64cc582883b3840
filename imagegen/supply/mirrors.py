"""Mirrors put in at run time: a lock holds the vendors' own addresses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mirrors:
    """Pairs of an address's beginning and what takes its place; `usual` are those that the user's go before."""

    pairs: tuple[tuple[str, str], ...] = ()
    usual: tuple[tuple[str, str], ...] = ()

    def apply(self, url: str) -> str:
        """The address to be asked instead; of several that fit, the longest beginning wins."""
        return _replaced(self.pairs, url) or _replaced(self.usual, url) or url

    def is_usual(self, url: str) -> bool:
        """Whether an address is asked elsewhere though the user did not say so."""
        return not _replaced(self.pairs, url) and bool(_replaced(self.usual, url))


def read_mirrors(texts: Iterable[str]) -> Mirrors:
    """Mirrors as `OLD=NEW`; `ValueError` with the text that has another form."""
    pairs = []
    for text in texts:
        old, equals, new = text.partition("=")
        if not equals or not _is_address(old) or not _is_address(new):
            raise ValueError(text)
        pairs.append((old.rstrip("/"), new.rstrip("/")))
    return Mirrors(tuple(pairs))


def profile_pairs(profile: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """A profile's mirrors as addresses; what has no scheme is how an image's name begins, asked at its registry."""
    return tuple((_address(old), _address(new)) for old, new in profile.items())


def _replaced(pairs: tuple[tuple[str, str], ...], url: str) -> str:
    fitting = [(old, new) for old, new in pairs if _begins(url, old)]
    if not fitting:
        return ""
    old, new = max(fitting, key=lambda pair: len(pair[0]))
    return new + url[len(old) :]


def _address(text: str) -> str:
    if _is_address(text):
        return text.rstrip("/")
    host, _, path = text.partition("/")
    return f"https://{host}/v2/{path}".rstrip("/")


def _is_address(text: str) -> bool:
    scheme, separator, rest = text.partition("://")
    return scheme in ("http", "https") and bool(separator) and bool(rest.strip("/"))


def _begins(url: str, beginning: str) -> bool:
    # https://a.example must not take https://a.example.net.
    return url == beginning or url.startswith(f"{beginning}/")
