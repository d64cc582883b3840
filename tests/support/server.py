"""An HTTP server on loopback that has files with ranges and tags, and that can be told to fail as real ones do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(slots=True)
class Site:
    """What the server has, by path; what it does wrong, a fault for each of the next requests of a path; what it heard.

    Faults: `cut N` ends the connection after N bytes, `stall N` sends nothing more after N bytes, `lie` sends other
    bytes, a number is a status, `no ranges` sends the whole file whatever is asked, `restart N` its first N
    bytes.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    faults: dict[str, list[str]] = field(default_factory=dict)
    heard: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)
    let_go: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def requests(self, path: str) -> list[dict[str, str]]:
        """Headers of the requests of a path, in order."""
        return [headers for heard, headers in self.heard if heard == path]

    def fault(self, path: str) -> str:
        left = self.faults.get(path, [])
        return left.pop(0) if left else ""


@contextmanager
def serve(site: Site) -> Iterator[Site]:
    """The site, at `site.url`, for the length of a test."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(site))
    site.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield site
    finally:
        site.let_go.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:  # noqa: C901  one handler, made around its site
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            site.heard.append((path, {name.lower(): value for name, value in self.headers.items()}))
            fault = site.fault(path)
            if fault.isdecimal():
                self._end(int(fault))
            elif (refusal := self._unauthorised(path)) is not None:
                self.send_response(401)
                self.send_header("WWW-Authenticate", refusal)
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif path not in site.files:
                self._end(404)
            else:
                self._send(path, fault)

        def _unauthorised(self, path: str) -> str | None:
            for start, token in site.tokens.items():
                if path.startswith(start) and self.headers.get("Authorization") != f"Bearer {token}":
                    return f'Bearer realm="{site.url}/token",service="stub",scope="repository:{start}:pull"'
            return None

        def _end(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _send(self, path: str, fault: str) -> None:
            content = site.files[path]
            if fault == "lie":
                content = bytes(byte ^ 1 for byte in content)
            tag = f'"{sha256(content).hexdigest()[:16]}"'
            offset = self._offset(tag) if not fault.startswith(("no ranges", "restart")) else 0
            if offset and offset >= len(content):
                self._end(416)
                return
            self.send_response(206 if offset else 200)
            if offset:
                self.send_header("Content-Range", f"bytes {offset}-{len(content) - 1}/{len(content)}")
            for name, value in {"ETag": tag, **site.headers.get(path, {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content) - offset))
            self.end_headers()
            self._write(content[offset:], fault)

        def _offset(self, tag: str) -> int:
            wanted = self.headers.get("Range", "")
            if not wanted or self.headers.get("If-Range", tag) != tag:
                return 0
            return int(wanted.removeprefix("bytes=").rstrip("-"))

        def _write(self, body: bytes, fault: str) -> None:
            kind, _, size = fault.partition(" ")
            if kind in ("cut", "stall", "restart"):
                self.wfile.write(body[: int(size)])
                self.wfile.flush()
                if kind == "stall":
                    site.let_go.wait(60)
                self.close_connection = True
                return
            try:
                self.wfile.write(body)
            except OSError:
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
