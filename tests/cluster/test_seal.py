"""The seal takes away all that may be left behind, and each of its lines is needed for that."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from imagegen.lab import disk
from tests.cluster import seal
from tools.base import base

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

# What has no effect to be seen in a chroot; the machine that is baked twice has it (test_bakes).
UNSEEN = {"  journalctl --relinquish-var\n"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The base disk's tree, read-only."""
    folder = tmp_path_factory.mktemp("seal")
    raw = disk.copy_raw(base().disk, folder / "base.raw")
    with disk.mounted(raw, folder / "root", read_only=True) as mounted:
        yield mounted
    raw.unlink()


def test_nothing_is_left(root: Path) -> None:
    assert seal.left(root, seal.SCRIPT.read_text(encoding="utf-8")) == []


def test_each_command_is_needed(root: Path) -> None:
    script = seal.SCRIPT.read_text(encoding="utf-8")
    lines = [line for line in seal.statements(script) if line not in UNSEEN]
    assert len(lines) > 15
    with ThreadPoolExecutor(max_workers=2) as pool:
        found = pool.map(lambda line: seal.left(root, script.replace(line, "  :\n", 1)), lines)
        assert [line for line, left in zip(lines, found, strict=True) if not left] == []
