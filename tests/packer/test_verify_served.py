"""The bundle from a server: what is not as it should be is never taken, and what is there is not asked for again."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from baked.bundle import Wanted
from baked.fetch import FetchError, Pace
from baked.served import download

from tests.packer.conftest import VERIFY
from tests.support.web import CUT, LIE, LONG, MISSING, Web, serving

KUBELET = os.urandom(5 << 20)
PAUSE = b"an image"
HEADING = {"architecture": "amd64", "kubernetes": "1.37.2"}


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
    web.files["/b/bundle.json"] = json.dumps({"format": 1, **HEADING, "files": described}).encode()


def fetch(web: Web, folder: Path, sha256: str = "") -> list[str]:
    wanted = sha256 or hashlib.sha256(web.files["/b/bundle.json"]).hexdigest()
    return download(f"{web.url}/b", folder, Wanted(sha256=wanted, **HEADING), Pace(silence=5, pause=0.001))


def found(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_whole_bundle(web: Web, tmp_path: Path) -> None:
    assert fetch(web, tmp_path / "bundle") == []
    assert found(tmp_path / "bundle") == {
        "bundle.json": web.files["/b/bundle.json"],
        "bin/kubelet": KUBELET,
        "images/a b.tar": PAUSE,
    }


def test_what_is_there_is_not_asked_for_again(web: Web, tmp_path: Path) -> None:
    fetch(web, tmp_path / "bundle")
    web.asked.clear()
    (tmp_path / "bundle/images/a b.tar").write_bytes(b"an imagE")
    assert fetch(web, tmp_path / "bundle") == []
    assert [path for path, _ in web.asked] == ["/b/bundle.json", "/b/images/a%20b.tar"]
    assert found(tmp_path / "bundle")["images/a b.tar"] == PAUSE


def test_a_cut_download_goes_on_where_it_ended(web: Web, tmp_path: Path) -> None:
    web.plans["/b/bin/kubelet"] = [CUT, CUT]
    assert fetch(web, tmp_path / "bundle") == []
    starts = [int(asked[6:-1] or 0) for path, asked in web.asked if path == "/b/bin/kubelet"]
    assert starts == [0, len(KUBELET) // 2, len(KUBELET) * 3 // 4]
    assert found(tmp_path / "bundle")["bin/kubelet"] == KUBELET


@pytest.mark.parametrize("misdeed", [LIE, LONG, CUT])
def test_one_misdeed_is_survived(web: Web, tmp_path: Path, misdeed: str) -> None:
    web.plans["/b/bin/kubelet"] = [misdeed]
    assert fetch(web, tmp_path / "bundle") == []
    assert found(tmp_path / "bundle")["bin/kubelet"] == KUBELET


@pytest.mark.parametrize(("misdeed", "said"), [(LIE, "sha256 "), (MISSING, "HTTP Error 404"), (LONG, "more than")])
def test_a_file_that_never_comes_right_is_refused(web: Web, tmp_path: Path, misdeed: str, said: str) -> None:
    web.plans["/b/bin/kubelet"] = [misdeed] * 9
    (problem,) = fetch(web, tmp_path / "bundle")
    assert problem.startswith("bin/kubelet: ")
    assert said in problem
    assert "bin/kubelet" not in found(tmp_path / "bundle")
    assert "bundle.json" not in found(tmp_path / "bundle")


def test_another_index_than_the_pinned_one_is_refused(web: Web, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=f"has sha256 {hashlib.sha256(web.files['/b/bundle.json']).hexdigest()}"):
        fetch(web, tmp_path / "bundle", "0" * 64)
    assert found(tmp_path) == {}


@pytest.mark.parametrize("path", ["/etc/passwd", "../outside"])
def test_nothing_is_written_outside(web: Web, tmp_path: Path, path: str) -> None:
    describe(web, {"bin/kubelet": KUBELET}, path=path)
    (problem,) = fetch(web, tmp_path / "bundle")
    assert "is outside of the folder" in problem
    assert not (tmp_path / "outside").exists()


def test_a_bundle_for_another_machine_is_not_downloaded(web: Web, tmp_path: Path) -> None:
    web.files["/b/bundle.json"] = web.files["/b/bundle.json"].replace(b"amd64", b"arm64")
    (problem,) = fetch(web, tmp_path / "bundle")
    assert "architecture is 'arm64'" in problem
    assert [path for path, _ in web.asked] == ["/b/bundle.json"]


def test_as_the_script_calls_it(web: Web, tmp_path: Path) -> None:
    def call(sha256: str) -> subprocess.CompletedProcess[str]:
        words = [f"--sha256={sha256}", "--architecture=amd64", "--kubernetes=1.37.2"]
        command = [sys.executable, "-B", str(VERIFY), "download", f"{web.url}/b", str(tmp_path / "bundle"), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    refused = call("0" * 64)
    assert (refused.returncode, refused.stderr.startswith("download: http://127.0.0.1")) == (1, True)
    assert call(hashlib.sha256(web.files["/b/bundle.json"]).hexdigest()).returncode == 0
    assert found(tmp_path / "bundle")["bin/kubelet"] == KUBELET
