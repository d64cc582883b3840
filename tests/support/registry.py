"""Run inside a root: a registry on loopback, a containerd, and the bake's script that pulls; prints what came of it."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path
from typing import Any, ClassVar

WORK = Path("/var/tmp/imagegen")
PORT = 5000
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OF_CONFIG = "application/vnd.oci.image.config.v1+json"
OF_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def digest(content: bytes) -> str:
    """As a registry names content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def layer() -> tuple[bytes, str]:
    """A layer with a file in it, compressed, and the digest of what it is uncompressed."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("hello")
        member.size = 5
        archive.addfile(member, io.BytesIO(b"hello"))
    return gzip.compress(buffer.getvalue(), mtime=0), digest(buffer.getvalue())


class Registry(http.server.BaseHTTPRequestHandler):
    """Has every image that it is asked for below google_containers, and one layer for all of them."""

    blobs: ClassVar[dict[str, bytes]] = {}
    asked: ClassVar[list[str]] = []

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        name, kind, reference = self._parts()
        self.asked.append(f"{self.command} {self.path}")
        content = self.blobs.get(reference, b"")
        if kind == "manifests" and not content and name.startswith("google_containers/"):
            content = self.manifest(name)
        if not content and self.path != "/v2/":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", MANIFEST if kind == "manifests" else "application/octet-stream")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Docker-Content-Digest", digest(content))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def _parts(self) -> tuple[str, str, str]:
        words = self.path.split("?")[0].removeprefix("/v2/").split("/")
        return ("/".join(words[:-2]), words[-2] if len(words) > 1 else "", words[-1])

    @classmethod
    def manifest(cls, name: str) -> bytes:
        """The manifest of an image; its parts are put where they are asked for."""
        packed, bare = layer()
        config = json.dumps(
            {
                "architecture": "amd64",
                "os": "linux",
                "config": {"Labels": {"name": name}},
                "rootfs": {"type": "layers", "diff_ids": [bare]},
            }
        ).encode()
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": {"mediaType": OF_CONFIG, "digest": digest(config), "size": len(config)},
                "layers": [{"mediaType": OF_LAYER, "digest": digest(packed), "size": len(packed)}],
            }
        ).encode()
        cls.blobs |= {digest(config): config, digest(packed): packed, digest(manifest): manifest}
        return manifest

    def log_message(self, *_: Any) -> None:
        pass


def main() -> None:
    """Serve, start containerd, run the script, look."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = {
        "PATH": "/opt/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        # An overlay upon an overlay is more than a kernel takes.
        "CONTAINERD_SNAPSHOTTER": "native",
    }
    hosts = Path(f"/etc/containerd/certs.d/127.0.0.1:{PORT}/hosts.toml")
    hosts.parent.mkdir(parents=True)
    hosts.write_text(f'server = "http://127.0.0.1:{PORT}"\n')
    log = Path("/var/tmp/containerd.log").open("w")  # noqa: SIM115  for as long as it runs
    containerd = subprocess.Popen(["containerd"], env=environment, stdout=log, stderr=log)
    try:
        _wait(environment)
        runs = [_run(environment) for _ in range(2)]
        listing = subprocess.run(
            ["ctr", "--namespace=k8s.io", "images", "list"], env=environment, capture_output=True, text=True, check=True
        ).stdout
    finally:
        containerd.terminate()
        containerd.wait()
    json.dump({"runs": runs, "list": listing, "asked": Registry.asked}, sys.stdout)


def _run(environment: dict[str, str]) -> dict[str, Any]:
    script = ["bash", str(WORK / "scripts/70-import-images.sh")]
    result = subprocess.run(
        script, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return {"code": result.returncode, "said": result.stdout, "asked": len(Registry.asked)}


def _wait(environment: dict[str, str]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if subprocess.run(["ctr", "version"], env=environment, capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.2)
    raise TimeoutError(Path("/var/tmp/containerd.log").read_text())


if os.environ.get("IMAGEGEN_REGISTRY"):
    main()
