from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from baked import bundle

WANTED = bundle.Wanted(sha256="", architecture="amd64", kubernetes="1.37.2")


def write(folder: Path, **headings: Any) -> Path:
    content = b"the kubelet"
    (folder / "bin").mkdir()
    (folder / "bin/kubelet").write_bytes(content)
    file = {"path": "bin/kubelet", "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    described = {"format": 1, "architecture": "amd64", "kubernetes": "1.37.2", "files": [file]} | headings
    (folder / "bundle.json").write_text(json.dumps(described))
    return folder


def test_whole_bundle_has_no_problems(tmp_path: Path) -> None:
    assert bundle.problems(write(tmp_path), WANTED) == []


def test_pinned_index_has_no_problems(tmp_path: Path) -> None:
    index = hashlib.sha256((write(tmp_path) / "bundle.json").read_bytes()).hexdigest()
    wanted = bundle.Wanted(sha256=index, architecture="amd64", kubernetes="1.37.2")
    assert bundle.problems(tmp_path, wanted) == []


def test_another_index_than_the_pinned_one(tmp_path: Path) -> None:
    wanted = bundle.Wanted(sha256="0" * 64, architecture="amd64", kubernetes="1.37.2")
    (problem,) = bundle.problems(write(tmp_path), wanted)
    assert "bundle.json has sha256" in problem


def test_no_index(tmp_path: Path) -> None:
    (problem,) = bundle.problems(tmp_path, WANTED)
    assert problem.endswith("bundle.json is missing")


@pytest.mark.parametrize(
    ("heading", "value", "said"),
    [
        ("format", 2, "format is 2, wanted 1"),
        ("architecture", "arm64", "architecture is 'arm64', wanted 'amd64'"),
        ("kubernetes", "1.36.3", "kubernetes is '1.36.3', wanted '1.37.2'"),
    ],
)
def test_wrong_heading(tmp_path: Path, heading: str, value: object, said: str) -> None:
    assert bundle.problems(write(tmp_path, **{heading: value}), WANTED) == [said]


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda folder: (folder / "bin/kubelet").write_bytes(b"the kubelEt"), "bin/kubelet has sha256"),
        (lambda folder: (folder / "bin/kubelet").write_bytes(b"the"), "bin/kubelet has 3 bytes, not 11"),
        (lambda folder: (folder / "bin/kubelet").unlink(), "bin/kubelet is missing"),
        (lambda folder: (folder / "bin/more").touch(), "bin/more is not in bundle.json"),
    ],
    ids=["changed", "cut", "missing", "strange"],
)
def test_harmed_file(tmp_path: Path, harm: Callable[[Path], object], said: str) -> None:
    harm(write(tmp_path))
    (problem,) = bundle.problems(tmp_path, WANTED)
    assert problem.startswith(said)
