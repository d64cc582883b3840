"""A control plane keeps snapshots of etcd: whole ones, the newest ones, for nobody else to read."""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import os
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from bootstrap import etcdclient
from upkeep import snapshots
from upkeep.snapshots import run

from tests.firstboot.authority import Authority
from tests.firstboot.machine import Machine

FOLDER = "/srv/snapshots"
DATA = os.urandom(3 * 512)
WHOLE = DATA + hashlib.sha256(DATA).digest()
HOUR = 3600


def messages(content: bytes, piece: int = 700) -> list[dict[str, Any]]:
    """As etcd's gateway sends them."""
    parts = [content[at : at + piece] for at in range(0, len(content), piece)]
    return [{"result": {"remaining_bytes": "1", "blob": base64.b64encode(part).decode()}} for part in parts]


class Gateway:
    """Stands in for etcd; `sends` is what it answers."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        self.sends: list[dict[str, Any]] = messages(WHOLE)
        self.code = 200
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                outer.asked.append(self.path)
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(outer.code)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for message in outer.sends:
                    line = json.dumps(message).encode() + b"\n"
                    self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
                self.wfile.write(b"0\r\n\r\n")

            def log_message(self, *_: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.sign_server(folder, named=True))
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=authority.certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def prepare(machine: Machine, authority: Authority, url: str, **settings: object) -> None:
    """A control plane with an etcd at this address."""
    told = {"seconds": 6 * HOUR, "keep": 2, "directory": FOLDER, **settings}
    machine.write(snapshots.SETTINGS, json.dumps(told))
    pod = {"metadata": {"annotations": {snapshots.ADVERTISED: url}}}
    machine.write("/etc/kubernetes/manifests/etcd.yaml", yaml.safe_dump(pod))
    certificate, key = authority.sign_client()
    machine.write("/etc/kubernetes/pki/etcd/ca.crt", authority.certificate)
    machine.write("/etc/kubernetes/pki/apiserver-etcd-client.crt", certificate)
    machine.write("/etc/kubernetes/pki/apiserver-etcd-client.key", key)


@pytest.fixture
def gateway(machine: Machine, authority: Authority, tmp_path: Path) -> Iterator[Gateway]:
    gateway = Gateway(tmp_path, authority)
    prepare(machine, authority, gateway.url)
    yield gateway
    gateway.stop()


def kept(machine: Machine) -> list[str]:
    return sorted(path.name for path in machine.paths.at(FOLDER).iterdir())


def take(machine: Machine, *, now: bool = False) -> int:
    """What the timer does; the file's time is the made-up one."""
    before = set(machine.paths.at(FOLDER).glob("*")) if machine.has(FOLDER) else set()
    code = run(machine.paths, machine.clock, now=now)
    for path in set(machine.paths.at(FOLDER).glob("*")) - before:
        os.utime(path, (machine.clock.now(), machine.clock.now()))
    return code


def status(machine: Machine) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(machine.read("/var/lib/imagegen/etcd-snapshot.json"))
    return said


def test_a_snapshot_is_what_etcd_sent_and_root_s_alone(machine: Machine, gateway: Gateway) -> None:
    assert take(machine) == 0
    assert gateway.asked == ["/v3/maintenance/snapshot"]
    (name,) = kept(machine)
    assert name == "etcd-node-1-20261122T080000Z.db"
    path = machine.paths.at(f"{FOLDER}/{name}")
    assert path.read_bytes() == WHOLE
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    said = status(machine)
    assert (said["status"], said["bytes"]) == ("ok", len(WHOLE))
    assert said["sha256"] == hashlib.sha256(DATA).hexdigest()
    assert machine.lines == []


def test_the_next_one_comes_when_it_is_due_and_old_ones_go(machine: Machine, gateway: Gateway) -> None:
    machine.write(f"{FOLDER}/mine.db", "a file of somebody else's")
    for hours, count in ((0, 1), (1, 1), (5, 2), (6, 3), (5.9, 4), (0.1, 4)):
        machine.clock.passed += hours * HOUR
        assert take(machine) == 0
        assert len(gateway.asked) == count
    names = [name for name in kept(machine) if name != "mine.db"]
    assert len(names) == 2
    assert "mine.db" in kept(machine)
    assert names == sorted(names)
    assert names[-1] > "etcd-node-1-20261123T01"


def test_one_now(machine: Machine, gateway: Gateway) -> None:
    for count in (1, 2, 3):
        machine.clock.passed += 1
        assert take(machine, now=True) == 0
        assert len(gateway.asked) == count
    assert len(kept(machine)) == 2


def test_a_clock_that_was_put_back_stops_nothing(machine: Machine, gateway: Gateway) -> None:
    assert take(machine) == 0
    machine.clock.passed -= 100 * HOUR
    assert take(machine) == 0
    assert len(gateway.asked) == 2


@pytest.mark.parametrize(
    "content",
    [
        WHOLE[:-1],
        WHOLE[:-512],
        DATA,
        b"x" + WHOLE[1:],
        b"",
        hashlib.sha256(b"").digest(),
        DATA[:100] + hashlib.sha256(DATA[:100]).digest(),
    ],
    ids=["cut", "cut by a page", "without the digest", "changed", "empty", "of nothing", "no whole pages"],
)
def test_what_is_not_whole_is_not_kept(machine: Machine, gateway: Gateway, content: bytes) -> None:
    assert take(machine) == 0
    before = kept(machine)
    gateway.sends = messages(content)
    machine.clock.passed += 7 * HOUR
    assert take(machine) == 1
    assert status(machine)["reason"] == "snapshot-broken"
    assert kept(machine) == before
    assert "upkeep=etcd-snapshot status=failed reason=snapshot-broken" in "\n".join(machine.lines)


@pytest.mark.parametrize("piece", [1, 31, 32, 33, 32768])
def test_pieces_of_any_size(machine: Machine, gateway: Gateway, piece: int) -> None:
    gateway.sends = messages(WHOLE, piece)
    assert take(machine) == 0
    (name,) = kept(machine)
    assert machine.paths.at(f"{FOLDER}/{name}").read_bytes() == WHOLE


def test_an_error_in_the_middle(machine: Machine, gateway: Gateway) -> None:
    gateway.sends = [*messages(WHOLE)[:1], {"error": {"message": "etcdserver: no space"}}]
    assert take(machine) == 1
    assert status(machine)["reason"] == "snapshot-refused"
    assert "no space" in status(machine)["message"]
    assert kept(machine) == []


def test_an_etcd_that_refuses(machine: Machine, gateway: Gateway) -> None:
    gateway.code = 403
    assert take(machine) == 1
    assert "HTTP 403" in status(machine)["message"]


def test_an_etcd_that_is_not_there(machine: Machine, gateway: Gateway) -> None:
    gateway.stop()
    assert take(machine) == 1
    assert status(machine)["reason"] == "snapshot-refused"
    assert status(machine)["nextStep"]


def test_a_line_without_an_end(machine: Machine, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(etcdclient, "PIECE_BYTES", 100)
    assert take(machine) == 1
    assert gateway.asked
    assert status(machine)["reason"] == "snapshot-refused"


def test_a_full_disk(machine: Machine, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert take(machine) == 1
    assert gateway.asked
    assert "upkeep=etcd-snapshot status=failed reason=disk-full" in "\n".join(machine.lines)
    assert kept(machine) == []


def test_what_a_power_cut_has_left_goes(machine: Machine, gateway: Gateway) -> None:
    machine.write(f"{FOLDER}/etcd-node-1-20261121T080000Z.db.new", "half")
    assert take(machine) == 0
    assert gateway.asked
    assert kept(machine) == ["etcd-node-1-20261122T080000Z.db"]
