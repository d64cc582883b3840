"""What stands at a cluster's endpoint: for each client as it is told, the cluster, nobody who answers, or an impostor.

The impostor is another cluster with a CA of its own whose cluster-info is signed with the client's bootstrap token, as
of another secrets bundle that has the same token: nothing but the pinned CA is left to refuse it by.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import hmac
import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

PORT = 6443
HANG, PASS, IMPOSTOR = "hang", "pass", "impostor"
_CLUSTER_INFO = "/api/v1/namespaces/kube-public/configmaps/cluster-info"
_ROOT = Path(__file__).parents[2]


def cluster_info(endpoint: str, authority: str, token: str) -> str:
    """The ConfigMap of a cluster with this CA, signed with a bootstrap token as kube-controller-manager does it."""
    name, _, secret = token.partition(".")
    encoded = base64.b64encode(authority.encode()).decode()
    cluster = {"name": "", "cluster": {"server": f"https://{endpoint}", "certificate-authority-data": encoded}}
    kubeconfig = json.dumps({"apiVersion": "v1", "kind": "Config", "clusters": [cluster]})
    # k8s.io/cluster-bootstrap token/jws: a detached JWS, which is compared as text.
    header = _url64(json.dumps({"alg": "HS256", "kid": name}, separators=(",", ":")).encode())
    signed = f"{header}.{_url64(kubeconfig.encode())}".encode()
    signature = f"{header}..{_url64(hmac.digest(secret.encode(), signed, hashlib.sha256))}"
    data = {"kubeconfig": kubeconfig, f"jws-kubeconfig-{name}": signature}
    metadata = {"name": "cluster-info", "namespace": "kube-public"}
    return json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})


def _url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Front:
    """The endpoint as the test sees it; a client that nothing was said of finds nobody who answers."""

    def __init__(self, folder: Path) -> None:
        self.modes_file, self.log = folder / "modes.json", folder / "front.log"
        self._modes: dict[str, str] = {}
        self._write()

    def show(self, client: str, mode: str) -> None:
        """From its next connection on, the client finds this."""
        self._modes[client] = mode
        self._write()

    def requests(self, client: str) -> list[str]:
        """What a client has asked the impostor for, and with which credentials."""
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [line.partition(" ")[2] for line in lines if line.startswith(f"{client} ")]

    def _write(self) -> None:
        fresh = self.modes_file.with_suffix(".new")
        fresh.write_text(json.dumps(self._modes), encoding="utf-8")
        fresh.replace(self.modes_file)


@contextmanager
def standing(front: Front, network: str, *, address: str, backend: str, pair: Path, answer: Path) -> Iterator[None]:
    """Listen in a network namespace; `pair` is the impostor's certificate and key, `answer` its cluster-info."""
    program = [sys.executable, "-m", "tests.cluster.impostor"]
    command = ["ip", "netns", "exec", network, *program, address, backend, *map(str, (front.modes_file, pair, answer))]
    with front.log.open("wb") as log:
        process = subprocess.Popen(command, cwd=_ROOT, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(10)


def _handler(answer: bytes) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Gives out cluster-info, and notes what else it is asked for."""

        def do_GET(self) -> None:
            client = _CLIENTS.get(self.client_address[1], "unknown")
            credentials = "with credentials" if "Authorization" in self.headers else "without credentials"
            sys.stderr.write(f"{client} {self.command} {self.path.partition('?')[0]} {credentials}\n")
            known = self.path.partition("?")[0] == _CLUSTER_INFO
            body = answer if known else b"{}"
            self.send_response(200 if known else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Says it in its own words."""

    return Handler


# By the port that a connection comes from on its last part, here.
_CLIENTS: dict[int, str] = {}


def _impostor(pair: Path, answer: Path) -> tuple[str, int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(answer.read_bytes()))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    Thread(target=server.serve_forever, daemon=True).start()
    return "127.0.0.1", int(server.server_address[1])


async def _serve(arguments: argparse.Namespace) -> None:
    ways = {PASS: (arguments.backend, PORT), IMPOSTOR: _impostor(arguments.pair, arguments.answer)}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = writer.get_extra_info("peername")[0]
        way = ways.get(json.loads(arguments.modes.read_text(encoding="utf-8")).get(client, HANG))
        with suppress(OSError):
            if way is None:
                await reader.read(-1)
            else:
                there, onward = await asyncio.open_connection(*way)
                _CLIENTS[onward.get_extra_info("sockname")[1]] = client
                both = [asyncio.ensure_future(_pump(*way)) for way in ((reader, onward), (there, writer))]
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
                for pump in both:
                    pump.cancel()
                onward.close()
        writer.close()

    async with await asyncio.start_server(serve, arguments.address, PORT) as server:
        await server.serve_forever()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("address")
    parser.add_argument("backend")
    for name in ("modes", "pair", "answer"):
        parser.add_argument(name, type=Path)
    asyncio.run(_serve(parser.parse_args()))
