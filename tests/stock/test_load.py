"""The loader takes what user-data has the digest of, and nothing else, however long that takes."""

from __future__ import annotations

import hashlib
import json
import lzma
import os
import re
import socket
import subprocess
import sys
from base64 import b85encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bring
import pytest

from imagegen.images.shortening import shorten
from tests.support.web import CUT, LIE, MISSING, Web, serving

STOCK = Path(__file__).parents[2] / "stock"
# In the place of the install: says where it is, and what it has.
PROGRAM = """
import os, pathlib, sys
work = pathlib.Path(sys.argv[0]).parent
print("installing", sorted(str(path.relative_to(work)) for path in work.rglob("*") if path.is_file()))
print("mode", oct(work.stat().st_mode), oct((work / "image.env").stat().st_mode))
"""
FILES = {"install/__main__.py": PROGRAM, "image.env": "A='ü'\n"}
CONTENT = json.dumps(FILES).encode()
PACKED = lzma.compress(CONTENT)
DIGEST = hashlib.sha256(CONTENT).hexdigest()
NAME = f"/{DIGEST}.json.xz"


class Machine:
    """What cloud-init has written."""

    def __init__(self, root: Path) -> None:
        self.root, self.folder = root, root / "var/lib/imagegen/stock"
        self.work = root / "var/tmp/imagegen"
        self.folder.mkdir(parents=True)
        (root / "dev").mkdir()
        (root / "dev/console").touch()
        # As they travel, and with the waits of minutes made short.
        for name in ("load.py", "bring.py"):
            text = shorten((STOCK / name).read_text()).replace("FIRST, LONGEST = 5.0", "FIRST, LONGEST = 0.01")
            (self.folder / name).write_text(text)

    def told(self, **settings: Any) -> None:
        (self.folder / "stock.json").write_text(json.dumps(settings))

    def boot(self) -> subprocess.CompletedProcess[str]:
        environment = {"IMAGEGEN_ROOT": str(self.root), "PATH": os.environ["PATH"]}
        command = [sys.executable, str(self.folder / "load.py")]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    @property
    def console(self) -> str:
        return (self.root / "dev/console").read_text()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as web:
        web.files[NAME] = PACKED
        yield web


def test_from_user_data(machine: Machine) -> None:
    machine.told()
    (machine.folder / "payload").write_text(b85encode(PACKED).decode() + "\n")
    ended = machine.boot()
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == ["installing ['image.env', 'install/__main__.py']", "mode 0o40700 0o100600"]
    assert (machine.work / "image.env").read_text() == FILES["image.env"]


def test_what_was_downloaded_stays_and_all_else_goes(machine: Machine) -> None:
    machine.told()
    (machine.folder / "payload").write_text(b85encode(PACKED).decode())
    for path in ("bundle/bin/kubelet", "scripts/99-old.sh", "old"):
        (machine.work / path).parent.mkdir(parents=True, exist_ok=True)
        (machine.work / path).touch()
    machine.boot()
    left = {str(path.relative_to(machine.work)) for path in machine.work.rglob("*") if path.is_file()}
    assert left == {"bundle/bin/kubelet", *FILES}


def test_a_link_in_our_place_is_not_followed(machine: Machine, tmp_path: Path) -> None:
    machine.told()
    (machine.folder / "payload").write_text(b85encode(PACKED).decode())
    trap = tmp_path / "trap"
    trap.mkdir()
    (trap / "theirs").touch()
    machine.work.parent.mkdir(parents=True)
    machine.work.symlink_to(trap)
    assert machine.boot().returncode == 0
    assert [path.name for path in trap.iterdir()] == ["theirs"]
    assert not machine.work.is_symlink()


def test_from_a_server(machine: Machine, web: Web) -> None:
    machine.told(url=web.url + NAME, sha256=DIGEST)
    ended = machine.boot()
    assert (ended.returncode, ended.stdout.splitlines()[0][:10]) == (0, "installing")
    assert machine.console == ""


def test_a_server_that_lies_cuts_and_has_nothing_is_asked_until_it_has(machine: Machine, web: Web) -> None:
    web.plans[NAME] = [MISSING, LIE, CUT]
    machine.told(url=web.url + NAME, sha256=DIGEST)
    ended = machine.boot()
    assert ended.returncode == 0
    lines = machine.console.splitlines()
    assert lines == ended.stdout.splitlines()[:3]
    form = re.compile(
        r"imagegen: phase=install step=load status=retry seconds=\d+\.\d"
        r' reason=(payload-unreachable|payload-refused) message="http://.*; again in \d+ s"'
    )
    reasons = [match[1] for line in lines if (match := form.fullmatch(line))]
    assert reasons == ["payload-unreachable", "payload-refused", "payload-unreachable"]
    assert "HTTP Error 404" in lines[0]
    assert "no xz file" in lines[1]
    assert "bytes early" in lines[2]
    status = json.loads((machine.root / "var/lib/imagegen/status.json").read_text())
    assert (status["phase"], status["status"], status["reason"]) == ("install", "waiting", "payload-unreachable")


def test_another_content_is_refused(web: Web) -> None:
    web.files[NAME] = lzma.compress(CONTENT.replace(b"ins", b"INS"))
    with pytest.raises(bring.UselessError, match=f"holds sha256 [0-9a-f]{{64}}, and user-data wants {DIGEST}: refused"):
        bring.download(web.url + NAME, DIGEST)


def test_a_bomb_is_not_unpacked(web: Web) -> None:
    web.files[NAME] = lzma.compress(bytes(1 << 28), preset=0)
    with pytest.raises(bring.UselessError, match="refused"):
        bring.download(web.url + NAME, DIGEST)


def test_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bring, "PATIENCE", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x"
        with pytest.raises(bring.UselessError, match="timed out"):
            bring.download(url, DIGEST)
