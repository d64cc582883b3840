"""A file as a whole: resumed where it was cut, and compared with what is known of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from imagegen.fetching.client import Again, Client
from imagegen.fetching.failure import FetchError

if TYPE_CHECKING:
    import httpx

_PARTIAL, _UNSATISFIABLE = 206, 416
Hear = Callable[[int], None]
"""Is told of bytes as they come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What is known of a file before it comes; `sums` by the names of hashlib's algorithms."""

    sums: Mapping[str, str]
    size: int | None = None
    otherwise: str = "somebody changed it, or a mirror lies: do not use it"


def download(
    client: Client,
    url: str,
    part: Path,
    expected: Expected,
    hear: Hear = lambda _: None,
    *,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Make `part` the whole file, and go on where an earlier run ended; `FetchError` where it is another file."""
    transfer = _Transfer(client=client, url=url, part=part, size=expected.size, hear=hear, headers=headers or {})
    resumed = part.exists() and part.stat().st_size > 0
    transfer.run()
    problem = mismatch(part, expected)
    if problem and resumed:
        # What was there may have been the start of another file.
        part.unlink()
        transfer.run()
        problem = mismatch(part, expected)
    if problem:
        part.unlink()
        raise FetchError(f"{client.named(url)}: {problem}", expected.otherwise)


def mismatch(path: Path, expected: Expected) -> str:
    """In what a file differs from what was expected; nothing: it is that file."""
    size = path.stat().st_size
    if expected.size is not None and size != expected.size:
        return f"expected {expected.size:,} bytes, found {size:,}"
    for algorithm, wanted in expected.sums.items():
        if (found := hash_of(path, algorithm)) != wanted:
            return f"expected {algorithm} {wanted}, found {found}"
    return ""


def hash_of(path: Path, algorithm: str = "sha256") -> str:
    """The hash of a file, in hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


@dataclass(slots=True, kw_only=True)
class _Transfer:
    client: Client
    url: str
    part: Path
    size: int | None
    hear: Hear
    headers: Mapping[str, str]
    etag: str = ""
    furthest: int = 0

    def run(self) -> None:
        """Until the file is whole."""
        # An empty file has no byte to begin with.
        self.part.touch()
        self.client.again(self.url, self._attempt)

    def _attempt(self) -> bool:
        """One request; `True`: it was cut after some bytes."""
        before = came = self.part.stat().st_size
        self.furthest = max(self.furthest, before)
        if self.size is not None and before == self.size:
            return False
        try:
            with self.client.stream(self.url, self._request(before)) as response:
                before = came = self._start(response, before)
                self._remember(response)
                for chunk in self._append(response, before):
                    came += len(chunk)
        except Again:
            # A server that knows no ranges begins anew each time: only what never came before is progress.
            if came > self.furthest:
                self.furthest = came
                return True
            raise
        return False

    def _start(self, response: httpx.Response, offset: int) -> int:
        """Where the body begins: a server may not know ranges, or have another file now."""
        if response.status_code == _UNSATISFIABLE:
            self.part.write_bytes(b"")
            raise Again("the server has less of it than what came before")
        said = str(response.headers.get("content-range", ""))
        return offset if response.status_code == _PARTIAL and said.startswith(f"bytes {offset}-") else 0

    def _request(self, offset: int) -> Mapping[str, str]:
        if not offset:
            return self.headers
        condition = {"If-Range": self.etag} if self.etag else {}
        return {**self.headers, "Range": f"bytes={offset}-", **condition}

    def _remember(self, response: httpx.Response) -> None:
        etag = response.headers.get("etag", "")
        # A weak one says nothing about bytes.
        self.etag = "" if etag.startswith("W/") else etag

    def _append(self, response: httpx.Response, offset: int) -> Iterator[bytes]:
        with self.part.open("r+b") as stream:
            stream.truncate(offset)
            stream.seek(offset)
            for chunk in response.iter_raw():
                self.client.check()
                offset += len(chunk)
                if self.size is not None and offset > self.size:
                    stream.truncate(0)
                    raise FetchError(f"{self.client.named(self.url)}: expected {self.size:,} bytes, and more came")
                stream.write(chunk)
                # Whatever ends this run, the next one goes on behind what is in the file.
                stream.flush()
                self.hear(len(chunk))
                yield chunk
