"""An etcd that ended in its first moment votes for nobody, for ever: only such a one may be thrown away."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from bootstrap import wal

from tests.conftest import missing
from tests.firstboot.authority import Authority
from tests.firstboot.documents import INIT, JOIN
from tests.firstboot.machine import Machine
from tests.firstboot.test_real_etcd import Member
from tests.support import etcd_log
from tools import toolbox

_SILENT = "failed to publish local member to cluster through raft"
_READY = "ready to serve client requests"
_LIMIT = 60


@pytest.fixture(scope="module")
def etcd() -> Path:
    """The real one; found while PATH still is this machine's own."""
    if not toolbox.is_built(toolbox.component_of("etcd")):
        missing("etcd (make tools)")
    return toolbox.path("etcd")


@pytest.fixture
def member(etcd: Path, tmp_path: Path, authority: Authority) -> Iterator[Member]:
    """A cluster of one that has been up, and is not any more."""
    member = Member("node-1", tmp_path, authority)
    member.start(etcd, [member])
    _says(member, _READY)
    member.kill()
    yield member
    member.kill()


def _says(member: Member, words: str) -> None:
    end = time.monotonic() + _LIMIT
    while words not in (log := member.log.read_text()):
        assert time.monotonic() < end, log
        time.sleep(0.05)


@pytest.mark.tools
def test_a_log_with_a_vote_is_kept(machine: Machine, member: Member) -> None:
    _failed_once(machine, member)
    assert machine.boot() == 0
    assert machine.verbs == ["init", "init"]


@pytest.mark.tools
def test_a_log_without_a_vote_is_thrown_away(machine: Machine, member: Member, etcd: Path) -> None:
    etcd_log.blank(member.data / "member")
    member.start(etcd, [member])
    _says(member, _SILENT)
    assert _READY not in member.log.read_text()
    member.kill()
    _failed_once(machine, member)
    assert machine.boot() == 0
    assert machine.verbs == ["init", "reset", "init"]
    # The scripted reset leaves the data alone, as kubeadm's does where the manifest is lost.
    assert list((machine.paths.root / "var/lib/etcd/member").iterdir()) == []


@pytest.mark.tools
@pytest.mark.usefixtures("running")
def test_nothing_is_thrown_away_beside_a_cluster(machine: Machine, member: Member) -> None:
    etcd_log.blank(member.data / "member")
    shutil.copytree(member.data / "member", machine.paths.at("/var/lib/etcd/member"))
    machine.stage(INIT)
    machine.boot()
    assert machine.verbs == ["init"]
    assert "--ignore-preflight-errors=" in machine.calls_of("kubeadm init")[0]


@pytest.mark.tools
def test_a_database_that_knows_a_member_is_kept(machine: Machine, member: Member) -> None:
    database = (member.data / "member/snap/db").read_bytes()
    etcd_log.blank(member.data / "member")
    (member.data / "member/snap/db").write_bytes(database)
    _failed_once(machine, member)
    assert machine.boot() == 0
    assert machine.verbs == ["init", "init"]


@pytest.mark.tools
@pytest.mark.usefixtures("running")
def test_a_member_that_joins_is_kept(machine: Machine, member: Member) -> None:
    etcd_log.blank(member.data / "member")
    machine.stage(JOIN)
    _keep(machine, member, "kubeadm-join")
    assert machine.boot() == 0
    assert machine.verbs == ["join", "join"]


@pytest.mark.tools
def test_what_is_not_known_counts_as_use(member: Member) -> None:
    folder = member.data / "member/wal"
    assert not wal.is_blank(folder)
    etcd_log.blank(folder.parent)
    assert wal.is_blank(folder)
    (log,) = folder.glob("*.wal")
    content = log.read_bytes()[:4096]
    for wrong in (b"", bytes(4096), content[:9], content[:40], b"\xff" * 64, content[:8] + b"\xff" + content[9:]):
        log.write_bytes(wrong)
        assert not wal.is_blank(folder), wrong
    # Where the disk is full, etcd cannot make it longer again.
    for right in (content, content[: _head(content)]):
        log.write_bytes(right)
        assert wal.is_blank(folder)
    log.with_name("1.wal").write_bytes(content)
    assert not wal.is_blank(folder)


@pytest.mark.tools
@pytest.mark.parametrize("records", [1, 2, 4])
def test_a_log_of_another_length_counts_as_use(member: Member, records: int) -> None:
    etcd_log.blank(member.data / "member", records=records)
    assert not wal.is_blank(member.data / "member/wal")


def _head(content: bytes) -> int:
    """Where the last record ends: behind it all is zero, and each begins at a multiple of eight."""
    return (len(content.rstrip(b"\0")) + 7) // 8 * 8


def _failed_once(machine: Machine, member: Member) -> None:
    machine.stage(INIT)
    _keep(machine, member, "kubeadm-init")


def _keep(machine: Machine, member: Member, command: str) -> None:
    """Let the first try end with this member on the disk."""
    machine.plan(command, f'mkdir -p "$root/var/lib/etcd"; cp -r "{member.data}/member" "$root/var/lib/etcd"; exit 1')
