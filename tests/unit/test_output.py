"""Files and trees: all or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagegen import output
from imagegen.filetree import PRIVATE, FileTree


def tree(**files: str) -> FileTree:
    made = FileTree()
    for name, content in files.items():
        made.add(name.replace("__", "/"), content, PRIVATE)
    return made


def test_a_new_tree_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    output.write_tree(tree(a__b="1", c="2"), folder, frozenset())
    output.write_tree(tree(a__b="3"), folder, frozenset({"a/b", "c"}))
    assert (folder / "a" / "b").read_text() == "3"
    assert not (folder / "c").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


def test_what_no_render_wrote_stays(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    output.write_tree(tree(a="1"), folder, frozenset())
    (folder / "images").mkdir()
    (folder / "images" / "disk.qcow2").write_text("baked")
    output.write_tree(tree(a="2"), folder, frozenset({"a"}))
    assert (folder / "images" / "disk.qcow2").read_text() == "baked"


def test_modes_hold_whatever_the_umask(tmp_path: Path) -> None:
    output.write_tree(tree(secret="x"), tmp_path / "demo", frozenset())
    assert (tmp_path / "demo" / "secret").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "demo").stat().st_mode & 0o777 == 0o700


def test_a_failed_write_leaves_the_old_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "demo"
    output.write_tree(tree(a="old"), folder, frozenset())

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(output, "_exchange", fail)
    with pytest.raises(OSError, match="No space"):
        output.write_tree(tree(a="new"), folder, frozenset({"a"}))
    assert (folder / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["demo"]


def test_a_private_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "demo.secrets.yaml"
    output.write_new(path, "first")
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        output.write_new(path, "second")
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", "."])
def test_a_tree_stays_inside_its_folder(path: str) -> None:
    with pytest.raises(ValueError, match="inside"):
        FileTree().add(path, "x")


def test_a_path_is_written_once() -> None:
    made = tree(a="1")
    with pytest.raises(ValueError, match="twice"):
        made.add("a", "2")
