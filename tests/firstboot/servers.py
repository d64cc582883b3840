"""What may answer at a cluster's endpoint."""

from __future__ import annotations

import json
import socket
import socketserver
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.firstboot.authority import Authority

TOKEN_ID = "abcdef"
SIGNED = {"kubeconfig": "apiVersion: v1", f"jws-kubeconfig-{TOKEN_ID}": "signature"}


class Cluster:
    """An endpoint on loopback, at which something is started and stopped."""

    def __init__(self, authority: Authority, folder: Path) -> None:
        self.authority, self.folder = authority, folder
        self._server: socketserver.TCPServer | None = None
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = int(probe.getsockname()[1])
        self.status = 200
        self.body: object = {"data": SIGNED}

    @property
    def endpoint(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self, authority: Authority | None = None, *, expired: bool = False, named: bool = False) -> None:
        """An API server, of this CA or another."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain((authority or self.authority).sign_server(self.folder, expired=expired, named=named))
        server = self._listen(ThreadingHTTPServer, _api(self))
        server.socket = context.wrap_socket(server.socket, server_side=True)
        self._serve(server)

    def start_plain(self) -> None:
        """Something that does not speak TLS."""
        self._serve(self._listen(ThreadingHTTPServer, _api(self)))

    def start_empty_balancer(self) -> None:
        """A load balancer with nothing behind it: it takes connections and closes them."""
        self._serve(self._listen(socketserver.TCPServer, _Closer))

    def stop(self) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _listen(self, kind: type[socketserver.TCPServer], handler: Any) -> socketserver.TCPServer:
        self.stop()
        kind.allow_reuse_address = True
        return kind(("127.0.0.1", self.port), handler)

    def _serve(self, server: socketserver.TCPServer) -> None:
        self._server = server
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()


class _Closer(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.close()


def _api(cluster: Cluster) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path.partition("?")[0] == "/api/v1/namespaces/kube-public/configmaps/cluster-info"
            self.send_response(cluster.status if known else 404)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(cluster.body).encode())

        def log_message(self, *_: object) -> None:
            """Says nothing: the tests look at the machine."""

    return Handler
