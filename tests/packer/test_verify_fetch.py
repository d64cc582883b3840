"""The machine-side fetcher against a real server on loopback that serves, cuts, stalls, lies and refuses."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from baked import bundle, fetch

WANTED = bundle.Wanted(sha256="", architecture="amd64", kubernetes="1.37.2", source="binaries")
QUICK = fetch.Pace(silence=0.3, pause=0)
KUBELET = bytes(range(256)) * 4000
CUT = 300_000


class Server:
    """What is served, how each address misbehaves, and what was asked."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list[str]] = {}
        self.asked: list[tuple[str, str]] = []
        self.at_once = self.most = 0
        self.lock = threading.Lock()
        self.release = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with outer.lock:
                    outer.at_once += 1
                    outer.most = max(outer.most, outer.at_once)
                try:
                    outer.answer(self)
                finally:
                    with outer.lock:
                        outer.at_once -= 1

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = False
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path
        self.asked.append((path, request.headers.get("Range", "")))
        faults = self.faults.get(path, [])
        fault = faults.pop(0) if faults else ""
        if fault.isdigit() or path not in self.files:
            request.send_error(int(fault or 404))
            return
        if fault == "hang":
            self.release.wait(10)
            return
        content = self.files[path]
        start = int(request.headers.get("Range", "bytes=0-")[6:-1]) if fault != "whole" else 0
        request.send_response(206 if start else 200)
        request.send_header("Content-Length", str(len(content) - start))
        request.end_headers()
        if fault == "stall":
            request.wfile.write(content[start : start + CUT])
            self.release.wait(10)
        else:
            lie = b"x" * len(content) if fault == "lie" else content
            request.wfile.write(lie[start : start + CUT] if fault == "cut" else lie[start:])


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.release.set()
    made.http.shutdown()
    thread.join()
    made.http.server_close()


def entry(path: str, content: bytes, url: str, **more: Any) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    name = path.rpartition("/")[2]
    return {"path": path, "kind": "binary", "name": name, "sha256": digest, "size": len(content), "url": url, **more}


def write_lock(folder: Path, *files: dict[str, Any], **headings: Any) -> Path:
    lock = folder / "lock.json"
    described = {"format": 1, "architecture": "amd64", "kubernetes": "1.37.2", "source": "binaries", "files": files}
    lock.write_text(json.dumps(described | headings))
    return lock


def get(tmp_path: Path, lock: Path, mirrors: str = "") -> list[str]:
    return fetch.fetch(lock, tmp_path / "bundle", WANTED, fetch.Mirrors.parse(mirrors), QUICK)


@pytest.fixture
def kubelet(server: Server, tmp_path: Path) -> Path:
    """A lock of one file that is served."""
    server.files["/bin/kubelet"] = KUBELET
    return write_lock(tmp_path, entry("bin/kubelet", KUBELET, f"{server.url}/bin/kubelet"))


def test_files_become_a_bundle(server: Server, tmp_path: Path) -> None:
    files = []
    for number in range(5):
        content = bytes([number]) * 100
        server.files[f"/{number}"] = content
        files.append(entry(f"packages/{number}.deb", content, f"{server.url}/{number}"))
    image = {"kind": "image", "name": "registry.k8s.io/pause:3.10.2", "digest": "sha256:" + "0" * 64}
    assert get(tmp_path, write_lock(tmp_path, *files, image)) == []
    # From here on it is a bundle like any other.
    assert bundle.problems(tmp_path / "bundle", WANTED) == []
    assert server.most <= 2


@pytest.mark.parametrize(
    "faults", [["cut"], ["stall"], ["503", "502"], ["cut", "whole"], ["lie"], ["cut", "cut", "500"]], ids="+".join
)
def test_tried_again_and_gone_on(server: Server, kubelet: Path, tmp_path: Path, faults: list[str]) -> None:
    server.faults["/bin/kubelet"] = list(faults)
    assert get(tmp_path, kubelet) == []
    assert (tmp_path / "bundle/bin/kubelet").read_bytes() == KUBELET
    if faults[0] in {"cut", "stall"}:
        assert server.asked[1] == ("/bin/kubelet", f"bytes={CUT}-")
    if faults == ["lie"]:
        assert server.asked[1] == ("/bin/kubelet", "")


@pytest.mark.parametrize(
    ("faults", "said"),
    [(["lie"] * 2, "sha256"), (["404"], "404"), (["500"] * 9, "500"), (["hang"] * 9, "timed out")],
    ids=["lies", "missing", "broken", "stalls"],
)
def test_given_up(server: Server, kubelet: Path, tmp_path: Path, faults: list[str], said: str) -> None:
    server.faults["/bin/kubelet"] = list(faults)
    (problem,) = get(tmp_path, kubelet)
    assert problem.startswith("bin/kubelet: ")
    assert said in problem
    assert len(server.asked) == min(len(faults), 5)
    assert not (tmp_path / "bundle/bin/kubelet").exists()
    assert not (tmp_path / "bundle/bundle.json").exists()


@pytest.mark.parametrize(
    ("served", "said"),
    [
        (KUBELET[:-1] + b"!", "sha256"),
        (KUBELET + b"!", "more than the 1024000 bytes"),
        (KUBELET[:-1], "cut off after 1023999 of 1024000 bytes"),
    ],
    ids=["one-byte", "longer", "shorter"],
)
def test_another_file_stops_the_bake(server: Server, kubelet: Path, tmp_path: Path, served: bytes, said: str) -> None:
    server.files["/bin/kubelet"] = served
    (problem,) = get(tmp_path, kubelet)
    assert said in problem
    assert not (tmp_path / "bundle/bundle.json").exists()


def test_what_is_there_is_not_fetched_again(server: Server, kubelet: Path, tmp_path: Path) -> None:
    assert get(tmp_path, kubelet) == []
    assert get(tmp_path, kubelet) == []
    assert len(server.asked) == 1
    (tmp_path / "bundle/bin/kubelet").write_bytes(b"changed")
    assert get(tmp_path, kubelet) == []
    assert (tmp_path / "bundle/bin/kubelet").read_bytes() == KUBELET


def test_a_mirror_is_put_in_for_the_vendor_s_address(server: Server, tmp_path: Path) -> None:
    server.files["/kubernetes-new/core/stable/v1.37/deb/kubelet"] = KUBELET
    url = "https://pkgs.k8s.io/core:/stable:/v1.37/deb/kubelet"
    mirrors = f"https://pkgs.k8s.io/=http://127.0.0.1:1/ https://pkgs.k8s.io/core:/stable:/={server.url}"
    mirrors += "/kubernetes-new/core/stable/"
    assert get(tmp_path, write_lock(tmp_path, entry("bin/kubelet", KUBELET, url)), mirrors) == []


def tarball(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def from_archive(path: str, member: str, content: bytes, archive: bytes, url: str) -> dict[str, Any]:
    of_it = {"sha256": hashlib.sha256(archive).hexdigest(), "size": len(archive), "member": member}
    return entry(path, content, url, archive=of_it)


def test_members_come_out_of_one_archive(server: Server, tmp_path: Path) -> None:
    members = {"bin/containerd": b"the daemon", "bin/ctr": b"the client", "../../etc/passwd": b"root"}
    archive = server.files["/containerd.tar.gz"] = tarball(members)
    url = f"{server.url}/containerd.tar.gz"
    files = [from_archive(name, name, members[name], archive, url) for name in ("bin/containerd", "bin/ctr")]
    assert get(tmp_path, write_lock(tmp_path, *files)) == []
    assert len(server.asked) == 1
    assert bundle.problems(tmp_path / "bundle", WANTED) == []


@pytest.mark.parametrize(
    ("member", "content", "said"),
    [("bin/ctr", b"another one", "bin/ctr: 10 bytes"), ("bin/none", b"", "'bin/none' not found")],
)
def test_a_member_that_is_another(server: Server, tmp_path: Path, member: str, content: bytes, said: str) -> None:
    archive = server.files["/a.tgz"] = tarball({"bin/ctr": b"the client"})
    file = from_archive("bin/ctr", member, content, archive, f"{server.url}/a.tgz")
    (problem,) = get(tmp_path, write_lock(tmp_path, file))
    assert said in problem
    assert [path.name for path in (tmp_path / "bundle").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("heading", "value"), [("format", 2), ("architecture", "arm64"), ("kubernetes", "1.36.4"), ("source", "packages")]
)
def test_a_lock_of_another_image(tmp_path: Path, heading: str, value: object) -> None:
    (problem,) = get(tmp_path, write_lock(tmp_path, **{heading: value}))
    assert problem.startswith(f"lock.json: {heading} is {value!r}")


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "bin/../../outside"])
def test_a_lock_writes_nowhere_else(server: Server, tmp_path: Path, path: str) -> None:
    server.files["/bin/kubelet"] = KUBELET
    (problem,) = get(tmp_path, write_lock(tmp_path, entry(path, KUBELET, f"{server.url}/bin/kubelet")))
    assert "outside of the folder" in problem
    assert server.asked == []


def test_only_the_web_is_asked(tmp_path: Path) -> None:
    (problem,) = get(tmp_path, write_lock(tmp_path, entry("bin/kubelet", KUBELET, "file:///etc/passwd")))
    assert "neither https nor http" in problem


def test_digest_of_an_image(tmp_path: Path) -> None:
    image = {"kind": "image", "name": "registry.k8s.io/pause:3.10.2", "digest": "sha256:" + "0" * 64}
    lock = write_lock(tmp_path, image)
    assert fetch.digest_of(lock, "registry.k8s.io/pause:3.10.2") == "sha256:" + "0" * 64
    with pytest.raises(fetch.FetchError, match=r"no digest of registry.k8s.io/pause:3.10"):
        fetch.digest_of(lock, "registry.k8s.io/pause:3.10")


@pytest.mark.parametrize("text", ["one", "=new", "a=b c"])
def test_a_mirror_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="is not OLD=NEW"):
        fetch.Mirrors.parse(text)
