"""HTTP with patience: limits for connecting and for silence, and further tries with growing, uneven pauses."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING

from imagegen import __version__
from imagegen.fetching.failure import FetchError, MissingError, StoppedError
from imagegen.supply.mirrors import Mirrors

if TYPE_CHECKING:
    import httpx

_TRIED_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_GONE = frozenset({404, 410})
_MAX_TEXT = 256 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds until a connection stands and that a server may be silent; tries without a byte of progress; pauses."""

    connect: float = 15.0
    silence: float = 60.0
    tries: int = 5
    pause: float = 1.0
    longest_pause: float = 30.0

    def after(self, failures: int) -> float:
        """The pause after so many failures: never the same for two who failed together."""
        grown: float = min(self.longest_pause, self.pause * 2.0 ** (failures - 1))
        return grown * random.uniform(0.5, 1.0)  # noqa: S311  no secret


class Again(Exception):  # noqa: N818  no error: the next try may do
    """A try failed, the next one may not."""

    def __init__(self, reason: str, after: float = 0.0) -> None:
        super().__init__(reason)
        self.after = after


class Client:
    """Requests by the vendors' addresses, sent to their mirrors where there are some; any number of threads at once.

    Proxies of the environment are used (HTTP_PROXY, HTTPS_PROXY, NO_PROXY).
    """

    def __init__(self, mirrors: Mirrors, patience: Patience = Patience()) -> None:
        import httpx  # noqa: PLC0415  slow to import, and an extra

        limits = httpx.Timeout(patience.silence, connect=patience.connect, pool=None)
        # What is hashed is what the vendor has, not a server's compression of it.
        headers = {"User-Agent": f"imagegen/{__version__}", "Accept-Encoding": "identity"}
        self._http = httpx.Client(timeout=limits, follow_redirects=True, headers=headers)
        self._mirrors = mirrors
        self._patience = patience
        self._stopped = Event()
        self._sockets: set[socket.socket] = set()

    def close(self) -> None:
        """Let go of all connections."""
        self._http.close()

    def stop(self) -> None:
        """End all that is under way, in whatever thread: what waits for a server hears `StoppedError`."""
        self._stopped.set()
        for open_one in tuple(self._sockets):
            with suppress(OSError):
                open_one.shutdown(socket.SHUT_RDWR)

    def address(self, url: str) -> str:
        """What is really asked."""
        return self._mirrors.apply(url)

    def named(self, url: str) -> str:
        """An address for a message, with the mirror's if that is another one."""
        asked = self.address(url)
        return url if asked == url else f"{url} (by way of {asked})"

    def again(self, url: str, attempt: Callable[[], bool]) -> None:
        """Try until an attempt ends without `Again`; `attempt` tells by `True` that it came further, and wants more."""
        failures = 0
        while True:
            try:
                if not attempt():
                    return
                failures = 0
            except Again as reason:
                failures += 1
                if failures >= self._patience.tries:
                    message = f"{self.named(url)}: {reason}, {failures} times in a row"
                    raise FetchError(message, "run the same command again: what came so far is kept") from reason
                self._wait(max(self._patience.after(failures), min(reason.after, self._patience.longest_pause)))

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        if self._stopped.wait(max(0.0, until - time.monotonic())):
            raise StoppedError

    @contextmanager
    def stream(self, url: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """A response whose body is still to come; `Again` where the connection or the server is at fault.

        Statuses of success, 401 and 416 are the caller's; `MissingError` for 404, `FetchError` for others.
        """
        import httpx  # noqa: PLC0415  as above

        try:
            request = self._http.stream("GET", self.address(url), headers=dict(headers))
            with request as response, self._stoppable(response):
                self._judge(url, response)
                yield response
        except httpx.TimeoutException as error:
            self.check()
            silence = f"nothing was heard for {self._patience.silence:g} s"
            raise Again(silence if isinstance(error, httpx.ReadTimeout) else "no connection") from error
        except httpx.TransportError as error:
            self.check()
            raise Again(str(error) or type(error).__name__) from error
        except (httpx.InvalidURL, httpx.TooManyRedirects) as error:
            raise FetchError(f"{self.named(url)}: {error}") from error

    @contextmanager
    def _stoppable(self, response: httpx.Response) -> Iterator[None]:
        connection = response.extensions["network_stream"].get_extra_info("socket")
        self._sockets.add(connection)
        try:
            self.check()
            yield
        finally:
            self._sockets.discard(connection)

    def _judge(self, url: str, response: httpx.Response) -> None:
        status = response.status_code
        if status in _TRIED_AGAIN:
            raise Again(
                f"the server says {status} {response.reason_phrase}", _seconds(response.headers.get("retry-after"))
            )
        if status in _GONE:
            raise MissingError(f"{self.named(url)}: the server has no such file ({status})", self._way_out(url))
        if status >= 400 and status not in (401, 416):  # noqa: PLR2004  HTTP's own
            message = f"{self.named(url)}: the server says {status} {response.reason_phrase}"
            raise FetchError(message, self._way_out(url))

    def _way_out(self, url: str) -> str:
        if not self._mirrors.is_usual(url):
            return ""
        host = "/".join(url.split("/")[:3])
        return (
            f"the image's `mirrors` say so: --mirror {host}={host} asks the vendor, and another address another mirror"
        )

    def read(
        self, url: str, headers: Mapping[str, str] | None = None, limit: int = _MAX_TEXT
    ) -> tuple[bytes, httpx.Response]:
        """A whole body of at most `limit` bytes, and the response that it came with."""
        found: list[tuple[bytes, httpx.Response]] = []

        def attempt() -> bool:
            body = bytearray()
            with self.stream(url, headers or {}) as response:
                for chunk in response.iter_raw():
                    self.check()
                    body += chunk
                    if len(body) > limit:
                        raise FetchError(f"{self.named(url)}: more than {limit:,} bytes, which it should not have")
            found.append((bytes(body), response))
            return False

        self.again(url, attempt)
        return found[-1]

    def text(self, url: str) -> str:
        """A small text."""
        return self.read(url)[0].decode("utf-8", "replace")

    def check(self) -> None:
        """`StoppedError` if nobody waits for the result any more."""
        if self._stopped.is_set():
            raise StoppedError


def _seconds(text: str | None) -> float:
    return float(text) if text and text.isdecimal() else 0.0
