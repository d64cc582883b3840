"""A render that is killed, out of disk, or done twice at once leaves the old folder or the new one."""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import signal
import time
from pathlib import Path

import pytest

from imagegen.filetree import FileTree
from imagegen.output import write_tree

KILLS = 300
NAMES = [f"user-data/{number}.yaml" for number in range(40)] + ["manifest.json"]
FORK = multiprocessing.get_context("fork")


def tree(mark: str) -> FileTree:
    """A folder whose every file carries the same mark."""
    made = FileTree()
    for name in NAMES:
        made.add(name, mark * 2000)
    return made


def mark_of(folder: Path) -> str:
    """The mark of a folder that is whole: every file there, all alike."""
    contents = {(folder / name).read_text() for name in NAMES}
    assert len(contents) == 1
    (content,) = contents
    assert content == content[0] * 2000
    return content[0]


def write(mark: str, folder: Path) -> None:
    write_tree(tree(mark), folder, frozenset(NAMES))


def test_killed_at_any_point(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    write("a", folder)
    (folder / "disk.qcow2").write_text("baked")
    started = time.monotonic()
    write("a", folder)
    whole = time.monotonic() - started
    chance = random.Random(1)  # noqa: S311  moments, not secrets
    seen = {"old": 0, "new": 0}
    before = "a"
    for number in range(KILLS):
        after = "ab"[number % 2]
        child = FORK.Process(target=write, args=(after, folder))
        child.start()
        time.sleep(chance.uniform(0, 1.5 * whole))
        if child.pid is not None and child.is_alive():
            os.kill(child.pid, signal.SIGKILL)
        child.join()
        found = mark_of(folder)
        assert found in {before, after}
        seen["new" if found == after else "old"] += 1
        before = found
        assert (folder / "disk.qcow2").read_text() == "baked"
    # Both must have happened, or the kills came all too early or too late to show anything.
    assert min(seen.values()) > 0
    write("c", folder)
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


def _write_with_little_room(folder: Path) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    try:
        write("b", folder)
    except OSError:
        os._exit(3)


def test_out_of_room(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    write("a", folder)
    child = FORK.Process(target=_write_with_little_room, args=(folder,))
    child.start()
    child.join()
    assert child.exitcode == 3
    assert mark_of(folder) == "a"
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


@pytest.mark.parametrize("times", [8])
def test_several_at_once(times: int, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    children = [FORK.Process(target=write, args=(chr(ord("a") + number), folder)) for number in range(times)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0] * times
    assert mark_of(folder) in "abcdefgh"
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]
