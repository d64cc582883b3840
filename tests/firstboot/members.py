"""etcd on another control plane, as its JSON gateway answers (recorded from etcd 3.7.0)."""

from __future__ import annotations

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.firstboot.authority import Authority

LOST = (503, {"code": 14, "message": "etcdserver: leader changed"})
UNKNOWN = (404, {"code": 5, "message": "etcdserver: member not found"})


def member(number: int, name: str, *urls: str, learner: bool = False) -> dict[str, Any]:
    """A member as the gateway writes it: what is empty or false is left out, and a number is a text."""
    peers = {"peerURLs": list(urls[:1]), **({"clientURLs": list(urls[1:])} if urls[1:] else {})}
    flags = {"isLearner": True} if learner else {}
    return {"ID": str(number), **({"name": name} if name else {}), **peers, **flags}


class Etcd:
    """A member that answers; its port is its own, as two of them may be on one machine here."""

    def __init__(self, authority: Authority, folder: Path) -> None:
        self.members: list[dict[str, Any]] = []
        self.removed: list[int] = []
        self.refusals: dict[str, tuple[int, dict[str, Any]]] = {}
        certificate = authority.sign_server(folder, named=True)
        trusted = folder / "etcd-ca.crt"
        trusted.write_text(authority.certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        context.load_verify_locations(cafile=str(trusted))
        context.verify_mode = ssl.CERT_REQUIRED
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _gateway(self))
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if path in self.refusals:
            return self.refusals[path]
        if path == "/v3/kv/range":
            return 200, {"header": {"revision": "1"}}
        if path == "/v3/cluster/member/list":
            return 200, {"header": {}, "members": self.members}
        if path == "/v3/cluster/member/remove":
            known = [item for item in self.members if item["ID"] == body["ID"]]
            self.members = [item for item in self.members if item not in known]
            self.removed += [int(item["ID"]) for item in known]
            return (200, {"header": {}, "members": self.members}) if known else UNKNOWN
        return 404, {}


def _gateway(etcd: Etcd) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, answer = etcd.answer(self.path, body)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: object) -> None:
            """Says nothing: the tests look at the machine."""

    return Handler
