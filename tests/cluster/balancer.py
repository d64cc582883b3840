"""A TCP load balancer beside the machines, as a cloud's: haproxy, which asks each backend whether it is ready."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

# https://haproxy.docs: `check-ssl verify none` asks over TLS without a certificate; what is passed on is TCP.
_TEXT = """\
global
    maxconn 1000
defaults
    mode tcp
    timeout connect 2s
    timeout client 1h
    timeout server 1h
frontend api
    bind {address}:6443
    default_backend control-planes
backend control-planes
    option httpchk GET /readyz
    http-check expect status 200
    default-server check check-ssl verify none inter 1s fall 2 rise 1 on-marked-down shutdown-sessions
{servers}
"""


@contextmanager
def balanced(network: str, address: str, backends: Mapping[str, str], folder: Path) -> Iterator[None]:
    """Balance `address`:6443 over backends (name → address), in a network namespace."""
    settings = folder / "haproxy.cfg"
    servers = "\n".join(f"    server {name} {backend}:6443" for name, backend in backends.items())
    settings.write_text(_TEXT.format(address=address, servers=servers), encoding="utf-8")
    with (folder / "haproxy.log").open("wb") as log:
        command = ["ip", "netns", "exec", network, "haproxy", "-db", "-f", str(settings)]
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(10)
