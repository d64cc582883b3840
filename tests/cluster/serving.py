"""The operator's web server, beside the machines: folders as they are, and a registry among them."""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any

PORT, LOOPBACK_PORT = 8000, 8461
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@contextmanager
def served(network: str, address: str, folder: Path) -> Iterator[None]:
    """Serve a folder in a network namespace, at an address and `PORT`."""
    with _running(["ip", "netns", "exec", network], folder, address, PORT):
        yield


@contextmanager
def served_here(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine's loopback; `host:port`."""
    with _running([], folder, "127.0.0.1", LOOPBACK_PORT):
        yield f"127.0.0.1:{LOOPBACK_PORT}"


@contextmanager
def _running(where: list[str], folder: Path, address: str, port: int) -> Iterator[None]:
    command = [*where, sys.executable, __file__, str(folder), address, str(port)]
    with (folder.parent / "served.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(10)


def add_image(folder: Path, reference: str, archive: Path) -> None:
    """Lay a docker archive out as the registry has it whose name the reference begins with: `v2/<host>/<name>/…`."""
    name, _, tag = reference.rpartition(":")
    place = folder / "v2" / name
    for part in ("blobs", "manifests"):
        (place / part).mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as opened:
        (listed,) = json.loads(_member(opened, "manifest.json").read())
        config = _blob(place, "application/vnd.oci.image.config.v1+json", _member(opened, listed["Config"]))
        layers = [_blob(place, _layer_type(path), _member(opened, path)) for path in listed["Layers"]]
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}).encode()
    for reference_to in (tag, f"sha256:{hashlib.sha256(manifest).hexdigest()}"):
        (place / "manifests" / reference_to).write_bytes(manifest)


def _member(archive: tarfile.TarFile, path: str) -> IO[bytes]:
    stream = archive.extractfile(path)
    assert stream is not None, path
    return stream


def _layer_type(path: str) -> str:
    return "application/vnd.oci.image.layer.v1.tar" + ("+gzip" if path.endswith(".gz") else "")


def _blob(place: Path, media_type: str, stream: IO[bytes]) -> dict[str, Any]:
    content = stream.read()
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    (place / "blobs" / digest).write_bytes(content)
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files; what lies among a registry's manifests says what it is."""

    def guess_type(self, path: Any) -> str:
        return MANIFEST if "/manifests/" in str(path) else "application/octet-stream"

    def do_GET(self) -> None:
        if self.path != "/v2/":
            super().do_GET()
            return
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Length", "0")
        self.end_headers()


def main(folder: str, address: str, port: str) -> None:
    """Serve until somebody ends it."""
    handler = functools.partial(Handler, directory=folder)
    http.server.ThreadingHTTPServer((address, int(port)), handler).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
