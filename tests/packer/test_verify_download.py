"""The bundle from a server: what is not as it should be is never taken, and what is there is not asked for again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from baked import download

from tests.support.web import CUT, LIE, LONG, MISSING, Web, serving

KUBELET = os.urandom(5 << 20)
PAUSE = b"an image"


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_PAUSE", 0.001)


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as web:
        web.files = {"/b/bin/kubelet": KUBELET, "/b/images/a%20b.tar": PAUSE}
        describe(web, {"bin/kubelet": KUBELET, "images/a b.tar": PAUSE})
        yield web


def describe(web: Web, files: dict[str, bytes], **changes: Any) -> None:
    described = [
        {"path": path, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)} | changes
        for path, content in files.items()
    ]
    web.files["/b/bundle.json"] = json.dumps({"files": described}).encode()


def fetch(web: Web, folder: Path) -> list[str]:
    return download.fetch(f"{web.url}/b", hashlib.sha256(web.files["/b/bundle.json"]).hexdigest(), folder)


def found(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_whole_bundle(web: Web, tmp_path: Path) -> None:
    assert fetch(web, tmp_path) == []
    assert found(tmp_path) == {
        "bundle.json": web.files["/b/bundle.json"],
        "bin/kubelet": KUBELET,
        "images/a b.tar": PAUSE,
    }


def test_what_is_there_is_not_asked_for_again(web: Web, tmp_path: Path) -> None:
    fetch(web, tmp_path)
    web.asked.clear()
    (tmp_path / "images/a b.tar").write_bytes(b"an imagE")
    assert fetch(web, tmp_path) == []
    assert [path for path, _ in web.asked] == ["/b/bundle.json", "/b/images/a%20b.tar"]
    assert found(tmp_path)["images/a b.tar"] == PAUSE


def test_a_cut_download_goes_on_where_it_ended(web: Web, tmp_path: Path) -> None:
    web.plans["/b/bin/kubelet"] = [CUT, MISSING, CUT]
    assert fetch(web, tmp_path) == []
    ranges = [asked for path, asked in web.asked if path == "/b/bin/kubelet"]
    half = len(KUBELET) // 2
    assert ranges[:3] == ["", f"bytes={half}-", f"bytes={half}-"]
    assert int(ranges[3].removeprefix("bytes=").rstrip("-")) > half
    assert found(tmp_path)["bin/kubelet"] == KUBELET


@pytest.mark.parametrize("misdeed", [LIE, LONG, MISSING])
@pytest.mark.parametrize("path", ["/b/bundle.json", "/b/bin/kubelet"])
def test_one_misdeed_is_survived(web: Web, tmp_path: Path, path: str, misdeed: str) -> None:
    web.plans[path] = [misdeed]
    assert fetch(web, tmp_path) == []
    assert found(tmp_path)["bin/kubelet"] == KUBELET


@pytest.mark.parametrize(
    ("misdeed", "said"),
    [
        (LIE, "is not what bundle.json says: sha256"),
        (MISSING, "HTTP Error 404: Not Found"),
        (CUT, "bytes (UselessError)"),
    ],
)
def test_a_file_that_never_comes_right_is_refused(web: Web, tmp_path: Path, misdeed: str, said: str) -> None:
    web.plans["/b/bin/kubelet"] = [misdeed] * 9
    (problem,) = fetch(web, tmp_path)
    assert problem.startswith(f"after {download.TRIES} tries: ")
    assert said in problem
    assert "bin/kubelet" not in found(tmp_path)


def test_another_index_than_the_pinned_one_is_refused(web: Web, tmp_path: Path) -> None:
    (problem,) = download.fetch(f"{web.url}/b", "0" * 64, tmp_path)
    assert f"has sha256 {hashlib.sha256(web.files['/b/bundle.json']).hexdigest()}" in problem
    assert found(tmp_path) == {}


@pytest.mark.parametrize("path", ["/etc/passwd", "../outside"])
def test_nothing_is_written_outside(web: Web, tmp_path: Path, path: str) -> None:
    describe(web, {"bin/kubelet": KUBELET}, path=path)
    assert fetch(web, tmp_path / "bundle") == [f"{path} does not stay inside the bundle"]
    assert not (tmp_path / "outside").exists()


def test_nobody_listens(tmp_path: Path) -> None:
    with serving() as web:
        pass
    (problem,) = download.fetch(web.url, "0" * 64, tmp_path)
    assert "Connection refused" in problem
