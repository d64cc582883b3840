"""A Keystone that knows everybody: Packer's openstack builder asks for a token while it validates."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


class _Keystone(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        here = f"http://127.0.0.1:{self.server.server_port}"  # type: ignore[attr-defined]
        version = {"id": "v3.14", "status": "stable", "links": [{"rel": "self", "href": f"{here}/v3/"}]}
        self._answer(300, {"versions": {"values": [version]}})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        here = f"http://127.0.0.1:{self.server.server_port}"  # type: ignore[attr-defined]
        catalog = [
            {
                "type": kind,
                "name": kind,
                "endpoints": [{"interface": "public", "region": "one", "region_id": "one", "url": f"{here}/{kind}/"}],
            }
            for kind in ("compute", "image", "network", "identity", "volumev3")
        ]
        token = {"methods": ["password"], "expires_at": "2999-01-01T00:00:00.000000Z", "catalog": catalog}
        self._answer(201, {"token": token}, {"X-Subject-Token": "none"})

    def _answer(self, code: int, body: Any, headers: dict[str, str] | None = None) -> None:
        content = json.dumps(body).encode()
        self.send_response(code)
        own = {"Content-Type": "application/json", "Content-Length": str(len(content))}
        for name, value in {**own, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def keystone() -> Iterator[str]:
    """Its address, on loopback."""
    server = HTTPServer(("127.0.0.1", 0), _Keystone)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v3"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
