"""A server on loopback that serves files, and lies, cuts and refuses where it is told to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MISSING, CUT, LIE, LONG = "missing", "cut", "lie", "long"
_NOT_FOUND, _OK, _PARTIAL = 404, 200, 206


@dataclass
class Web:
    """What is served, by path; `plans` are misdeeds, done one after the other; `asked` every request with its range."""

    port: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    plans: dict[str, list[str]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def next_misdeed(self, path: str) -> str:
        plan = self.plans.get(path, [])
        return plan.pop(0) if plan else ""


@contextmanager
def serving() -> Iterator[Web]:
    """A server, as long as the block lasts."""
    web = Web()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(web))
    web.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()


def _handler(web: Web) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            start = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").rstrip("-"))
            web.asked.append((self.path, self.headers.get("Range") or ""))
            misdeed = web.next_misdeed(self.path)
            if misdeed == MISSING or self.path not in web.files:
                self.send_error(_NOT_FOUND)
                return
            content = web.files[self.path][start:]
            content = {LIE: content[::-1], LONG: content + b"more"}.get(misdeed, content)
            self.send_response(_PARTIAL if start else _OK)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if misdeed == CUT else content)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    return Handler
