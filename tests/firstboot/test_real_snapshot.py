"""A real etcd gives a snapshot while it works, and the real etcdutl makes a member of it again."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from bootstrap import wal
from bootstrap.credentials import Credentials
from upkeep.snapshots import run

from tests.conftest import missing
from tests.firstboot.authority import Authority
from tests.firstboot.machine import Machine
from tests.firstboot.test_real_etcd import Client, Member, insist
from tests.firstboot.test_snapshots import FOLDER, prepare
from tools import toolbox

pytestmark = pytest.mark.tools

VALUES = {f"key-{number}": bytes([number]) * 40_000 for number in range(20)}


class Store(Client):
    """Puts and gets."""

    @property
    def url(self) -> str:
        return f"https://{self._host}:{self._port}"

    def put(self, key: str, value: bytes) -> None:
        self._post("kv/put", {"key": _text(key.encode()), "value": _text(value)})

    def get(self, key: str) -> bytes:
        (found,) = self._post("kv/range", {"key": _text(key.encode())}).get("kvs", [{"value": ""}])
        return base64.b64decode(found["value"])


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.fixture(scope="module")
def programs() -> dict[str, Path]:
    """The real ones; found while PATH still is this machine's own."""
    names = ("etcd", "etcdutl")
    for name in names:
        if not toolbox.is_built(toolbox.component_of(name)):
            missing(f"{name} (make tools)")
    return {name: toolbox.path(name) for name in names}


@pytest.fixture
def member(programs: dict[str, Path], tmp_path: Path, authority: Authority) -> Iterator[Member]:
    member = Member("node-1", tmp_path, authority)
    member.start(programs["etcd"], [member])
    yield member
    member.kill()


@pytest.fixture
def store(member: Member, authority: Authority, tmp_path: Path) -> Store:
    paths = [tmp_path / name for name in ("ca.crt", "client.crt", "client.key")]
    for path, text in zip(paths, (authority.certificate, *authority.sign_client()), strict=True):
        path.write_text(text)
    store = Store(member.client, Credentials(Path(), *paths))
    insist(store.require_quorum)
    return store


def test_what_was_there_is_there_again(
    programs: dict[str, Path], machine: Machine, member: Member, store: Store, authority: Authority
) -> None:
    for key, value in VALUES.items():
        store.put(key, value)
    prepare(machine, authority, member.client)
    assert run(machine.paths, machine.clock, now=False) == 0
    (snapshot,) = machine.paths.at(FOLDER).iterdir()
    store.put("key-0", b"written later")

    member.kill()
    # A member's folder of its own making goes; what the snapshot holds takes its place.
    member.data.rename(member.data.with_name("old"))
    restore = (programs["etcdutl"], "snapshot", "restore", snapshot, f"--data-dir={member.data}", "--name=node-1")
    peers = (f"--initial-cluster=node-1={member.peer}", f"--initial-advertise-peer-urls={member.peer}")
    subprocess.run((*restore, *peers), check=True, capture_output=True)
    # No first boot takes it for one that nobody has voted in.
    assert not wal.is_blank(member.data / "member/wal")
    member.start(programs["etcd"], [member])
    insist(store.require_quorum)
    assert {key: store.get(key) for key in VALUES} == VALUES
    store.put("key-0", b"it takes writes")
    assert store.get("key-0") == b"it takes writes"


def test_etcdutl_refuses_what_we_refuse(
    programs: dict[str, Path], machine: Machine, store: Store, authority: Authority, tmp_path: Path
) -> None:
    store.put("key", b"value")
    prepare(machine, authority, store.url)
    assert run(machine.paths, machine.clock, now=False) == 0
    (snapshot,) = machine.paths.at(FOLDER).iterdir()
    content = snapshot.read_bytes()
    snapshot.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    restore = (programs["etcdutl"], "snapshot", "restore", snapshot, f"--data-dir={tmp_path / 'restored'}")
    refused = subprocess.run(restore, capture_output=True, text=True, check=False)
    assert refused.returncode
    assert "sha256" in refused.stderr
