"""The comparison with the pristine disk sees what it is there to see."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from imagegen.lab import ground
from tests.cluster import faithful, trees


@pytest.fixture
def pristine(tmp_path: Path) -> Path:
    root = tmp_path / "pristine"
    for folder in ("etc/systemd/system", "var/lib", "bin"):
        (root / folder).mkdir(parents=True)
    (root / "etc/fstab").write_text("LABEL=root / ext4\n", encoding="utf-8")
    (root / "bin/tool").write_bytes(b"\x7fELF")
    (root / "bin/alias").symlink_to("tool")
    return root


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    folder = tmp_path / "seed"
    folder.mkdir()
    for name in ground.SEED_FILES:
        (folder / name).write_text(f"{name}\n", encoding="utf-8")
    return folder


@pytest.fixture
def machine(pristine: Path, seed: Path, tmp_path: Path) -> Path:
    root = tmp_path / "machine"
    shutil.copytree(pristine, root, symlinks=True)
    ground.prepare(root, seed)
    return root


def test_the_table_and_the_seed_are_all(pristine: Path, seed: Path, machine: Path) -> None:
    assert faithful.undeclared(pristine, machine, seed) == ()


def _other_link(root: Path) -> None:
    (root / "bin/alias").unlink()
    (root / "bin/alias").symlink_to("other")


def _other_kind(root: Path) -> None:
    (root / "bin/tool").unlink()
    (root / "bin/tool").mkdir()


CHANGES: dict[str, Callable[[Path], object]] = {
    "content of the same size": lambda root: (root / "bin/tool").write_bytes(b"\x7fELG"),
    "mode": lambda root: (root / "bin/tool").chmod(0o4755),
    "owner": lambda root: os.chown(root / "bin/tool", 12, 34),
    "attribute": lambda root: os.setxattr(root / "bin/tool", "user.note", b"here"),
    "removed": lambda root: (root / "bin/tool").unlink(),
    "other kind": _other_kind,
    "other target of a link": _other_link,
    "new file": lambda root: (root / "bin/new").write_bytes(b""),
    "new empty folder": lambda root: (root / "bin/folder").mkdir(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_other_change_is_found(pristine: Path, seed: Path, machine: Path, change: str) -> None:
    if change == "owner" and os.geteuid() != 0:
        pytest.skip("only root gives files away")
    CHANGES[change](machine)
    (found,) = faithful.undeclared(pristine, machine, seed)
    assert found.startswith("differs, not in the table: /bin/")


def test_a_declared_change_that_is_none_is_found(pristine: Path, seed: Path, machine: Path) -> None:
    shutil.copyfile(pristine / "etc/fstab", machine / "etc/fstab")
    assert faithful.undeclared(pristine, machine, seed) == (
        "in the table, does not differ: /etc/fstab",
        "not as in the table: /etc/fstab",
    )


def test_a_seed_that_is_not_the_emitted_one_is_found(pristine: Path, seed: Path, machine: Path) -> None:
    (machine / ground.SEED / "user-data").write_text("other\n", encoding="utf-8")
    assert faithful.undeclared(pristine, machine, seed) == (f"not as emitted: /{ground.SEED}/user-data",)


def test_a_missing_side_differs_as_a_whole(pristine: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "bin/tool" in trees.differences(pristine, empty)
