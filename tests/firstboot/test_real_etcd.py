"""A real etcd loses the dead member, by credentials that a real kubeadm has made."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bootstrap.credentials import Credentials
from bootstrap.etcdclient import EtcdClient, EtcdError

from tests.conftest import missing
from tests.firstboot.authority import Authority
from tests.firstboot.documents import JOIN
from tests.firstboot.machine import Machine
from tests.firstboot.test_membership import publish
from tools import toolbox

pytestmark = [pytest.mark.tools, pytest.mark.usefixtures("running")]

NAMES = ("node-1", "node-2", "node-3")


class Member:
    """One etcd, started as kubeadm's static pod starts it, on loopback."""

    def __init__(self, name: str, folder: Path, authority: Authority) -> None:
        self.name, self._folder = name, folder / name
        self._folder.mkdir()
        self.peer, self.client = (f"https://127.0.0.1:{port}" for port in _free_ports())
        self._pair = authority.sign_server(self._folder, named=True)
        self._trusted = self._folder / "ca.crt"
        self._trusted.write_text(authority.certificate)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self._folder / "data"

    @property
    def log(self) -> Path:
        return self._folder / "log"

    def start(self, program: Path, members: list[Member]) -> None:
        told = {
            "name": self.name,
            "data-dir": self.data,
            "listen-client-urls": self.client,
            "advertise-client-urls": self.client,
            "listen-peer-urls": self.peer,
            "initial-advertise-peer-urls": self.peer,
            "initial-cluster": ",".join(f"{member.name}={member.peer}" for member in members),
            "client-cert-auth": "true",
            "peer-client-cert-auth": "true",
            "trusted-ca-file": self._trusted,
            "peer-trusted-ca-file": self._trusted,
            **dict.fromkeys(("cert-file", "key-file", "peer-cert-file", "peer-key-file"), self._pair),
        }
        command = [str(program), *(f"--{key}={value}" for key, value in told.items())]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None


class Client(EtcdClient):
    """Announces members, too, as kubeadm does."""

    def announce(self, url: str) -> None:
        self._post("cluster/member/add", {"peerURLs": [url], "isLearner": True})


def _free_ports() -> list[int]:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return [int(server.getsockname()[1]) for server in (one, other)]


@pytest.fixture(scope="module")
def programs() -> dict[str, Path]:
    """The real ones; found while PATH still is this machine's own."""
    names = ("etcd", "kubeadm")
    for name in names:
        if not toolbox.is_built(toolbox.component_of(name)):
            missing(f"{name} (make tools)")
    return {name: toolbox.path(name) for name in names}


@pytest.fixture
def members(programs: dict[str, Path], tmp_path: Path, authority: Authority) -> Iterator[list[Member]]:
    """Three members that agree."""
    members = [Member(name, tmp_path, authority) for name in NAMES]
    for member in members:
        member.start(programs["etcd"], members)
    yield members
    for member in members:
        member.kill()


@pytest.fixture
def asked(
    programs: dict[str, Path], machine: Machine, members: list[Member], authority: Authority, tmp_path: Path
) -> Client:
    """The last member, with whom a majority agrees; and a machine whose kubeadm makes real credentials."""
    scripted = (machine.bin / "kubeadm").rename(machine.bin / "scripted")
    real = programs["kubeadm"]
    (machine.bin / "kubeadm").write_text(f'#!/bin/sh\n[ "$2" = phase ] && exec {real} "$@"\nexec {scripted} "$@"\n')
    (machine.bin / "kubeadm").chmod(0o755)
    publish(machine, *(member.client for member in members))
    paths = [tmp_path / name for name in ("client.crt", "client.key")]
    for path, text in zip(paths, authority.sign_client(), strict=True):
        path.write_text(text)
    trusted = tmp_path / "trusted.crt"
    trusted.write_text(authority.certificate)
    client = Client(members[-1].client, Credentials(Path(), trusted, *paths))
    insist(client.require_quorum)
    return client


def insist(ask: Callable[[], None]) -> None:
    """Until it succeeds: after a change etcd refuses for a while, and kubeadm insists for two minutes."""
    end = time.monotonic() + 60
    while True:
        try:
            return ask()
        except EtcdError:
            assert time.monotonic() < end
            time.sleep(0.2)


def test_the_dead_member_is_removed(machine: Machine, members: list[Member], asked: Client) -> None:
    assert {member.name for member in asked.members()} == set(NAMES)
    members[0].kill()
    insist(asked.require_quorum)
    # Longer than the five seconds for which all must have been connected (HealthInterval, server/etcdserver/server.go).
    time.sleep(7)
    with pytest.raises(EtcdError, match="etcdserver: unhealthy cluster"):
        asked.announce("https://127.0.0.1:1")
    machine.stage(JOIN)
    assert machine.boot() == 0
    assert "phase=etcd-member status=ok reason=etcd-member-removed" in machine.story
    assert {member.name for member in asked.members()} == set(NAMES[1:])
    # What kubeadm does next.
    insist(lambda: asked.announce("https://127.0.0.1:1"))
    assert [member.learner for member in asked.members() if not member.name] == [True]
    with pytest.raises(EtcdError, match="etcdserver: too many learner members in cluster"):
        asked.announce("https://127.0.0.1:2")


def test_a_member_that_lives_stays(machine: Machine, asked: Client) -> None:
    machine.stage(JOIN)
    machine.boot(until=60)
    assert machine.status["reason"] == "etcd-member-lives"
    assert {member.name for member in asked.members()} == set(NAMES)


def test_without_a_majority_nothing_is_removed(machine: Machine, members: list[Member], asked: Client) -> None:
    for member in members[:2]:
        member.kill()
    machine.stage(JOIN)
    machine.boot(until=30)
    assert machine.status["reason"] == "etcd-silent"
    assert {member.name for member in asked.members()} == set(NAMES)


def test_words_of_a_member_that_is_not_there(asked: Client) -> None:
    (first, *_) = asked.members()
    asked.remove(first._replace(number=123))
    assert {member.name for member in asked.members()} == set(NAMES)
