"""Downloads what this machine is installed with, from a server that need not be trusted: user-data has its SHA-256."""

from __future__ import annotations

import hashlib
import http.client
import itertools
import json
import lzma
import os
import random
import time
import urllib.request
from pathlib import Path

FIRST, LONGEST = 5.0, 120.0
PATIENCE = 30.0
MOST = 1 << 22


class UselessError(Exception):
    """What came is not what is wanted; another try may bring it."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def bring(root: Path, told: dict[str, str]) -> bytes:
    """The files; asks until it has them, since nobody is there to start it again."""
    started = time.monotonic()
    for count in itertools.count():
        try:
            return download(told["url"], told["sha256"])
        except UselessError as error:  # noqa: PERF203
            delay = min(LONGEST, FIRST * 2 ** min(count, 9)) * random.uniform(0.8, 1.2)  # noqa: S311
            say(root, time.monotonic() - started, error.reason, f"{error}; again in {delay:.0f} s")
            time.sleep(delay)
    raise AssertionError


def download(url: str, sha256: str) -> bytes:
    """What a server has at an address, unpacked, if that has the digest."""
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:  # noqa: S310  the digest decides
            packed = bytes(answer.read(MOST))
            if answer.length:
                raise UselessError("payload-unreachable", f"{url} ended {answer.length} bytes early")
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise UselessError("payload-unreachable", f"{url}: {error} ({type(error).__name__})") from error
    try:
        content = lzma.LZMADecompressor().decompress(packed, MOST)
    except lzma.LZMAError as error:
        raise UselessError("payload-refused", f"{url} is no xz file: {error}: refused") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise UselessError("payload-refused", f"{url} holds sha256 {found}, and user-data wants {sha256}: refused")
    return content


def say(root: Path, seconds: float, reason: str, message: str) -> None:
    """One line for journal and console, and the status: as first boot tells its own."""
    text = json.dumps(message)
    line = f"imagegen: phase=install step=load status=retry seconds={seconds:.1f} reason={reason} message={text}"
    print(line, flush=True)  # noqa: T201
    told = {"phase": "install", "status": "waiting", "reason": reason, "message": message, "phases": []}
    status = root / "var/lib/imagegen/status.json"
    try:
        status.write_text(json.dumps(told) + "\n")
        status.chmod(0o644)
        console = os.open(root / "dev/console", os.O_WRONLY | os.O_APPEND | os.O_NOCTTY | os.O_NONBLOCK)
        os.write(console, f"{line}\n".encode())
        os.close(console)
    except OSError:
        pass
