"""Hierarchies are read from the mount table; memory is what processes hold."""

from pathlib import Path

import pytest

from imagegen.lab.cgroups import Group, Hierarchies
from imagegen.lab.process import LabError

VERSION_1 = """\
proc /proc proc rw 0 0
tmpfs /sys/fs/cgroup tmpfs rw 0 0
cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0
"""
VERSION_2 = "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n"


def test_hybrid_hosts_have_every_hierarchy() -> None:
    hierarchies = Hierarchies.parse(VERSION_1)
    assert [path.name for path in hierarchies.roots] == ["memory", "unified"]
    assert not hierarchies.unified


def test_hosts_of_version_2_have_one() -> None:
    hierarchies = Hierarchies.parse(VERSION_2)
    assert hierarchies.roots == (Path("/sys/fs/cgroup"),)
    assert hierarchies.unified


@pytest.mark.parametrize(
    ("stat", "expected"),
    [
        pytest.param("cache 9\ntotal_cache 99\ntotal_rss 7\ntotal_shmem 2\n", 9, id="version 1"),
        pytest.param("anon 5\nfile 99\n", 5, id="version 2"),
    ],
)
def test_memory_leaves_out_the_cache(tmp_path: Path, stat: str, expected: int) -> None:
    (tmp_path / "memory.stat").write_text(stat, encoding="utf-8")
    assert Group(name="it", folders=(tmp_path,)).memory() == expected


def test_memory_without_a_controller_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no memory figures of it"):
        Group(name="it", folders=(tmp_path,)).memory()


def test_processes_are_those_of_all_groups_below(tmp_path: Path) -> None:
    (tmp_path / "payload").mkdir()
    (tmp_path / "cgroup.procs").write_text("11\n", encoding="utf-8")
    (tmp_path / "payload/cgroup.procs").write_text("12\n13\n0\n", encoding="utf-8")
    assert Group(name="it", folders=(tmp_path,)).processes() == {11, 12, 13}
