"""The offline bundle from a server that need not be trusted: bundle.json is as pinned, the files as it says."""

from __future__ import annotations

import hashlib
import http.client
import json
import random
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable

TRIES = 5
_PAUSE = 1.0
_AT_ONCE = 4
_PATIENCE = 30.0
_CHUNK = 1 << 20
_LARGEST_INDEX = 1 << 24
_PARTIAL = 206
T = TypeVar("T")
_PART = ".part"


class UselessError(Exception):
    """What came is not what is wanted; another try may bring it."""


def fetch(url: str, sha256: str, folder: Path) -> list[str]:
    """Bring the bundle at an address into a folder; what is there already stays. Give what could not be had."""
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / "bundle.json"
    try:
        content = _patiently(lambda: _index(f"{url}/bundle.json", sha256))
    except UselessError as error:
        return [str(error)]
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        problems = list(pool.map(lambda file: _bring(url, folder, file), json.loads(content)["files"]))
    index.write_bytes(content)
    return [problem for problem in problems if problem]


def _index(url: str, sha256: str) -> bytes:
    with _open(url, 0) as answer:
        content = bytes(answer.read(_LARGEST_INDEX))
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise UselessError(f"{url} has sha256 {found}, the image was planned with {sha256}")
    return content


def _bring(url: str, folder: Path, file: dict[str, Any]) -> str:
    pure = PurePosixPath(file["path"])
    if pure.is_absolute() or ".." in pure.parts:
        return f"{pure} does not stay inside the bundle"
    target = folder / pure
    if _is_whole(target, file):
        return ""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        _patiently(lambda: _download(f"{url}/{quote(str(pure))}", target, file))
    except UselessError as error:
        return str(error)
    return ""


def _download(url: str, target: Path, file: dict[str, Any]) -> None:
    part = target.with_name(target.name + _PART)
    there = part.stat().st_size if part.exists() else 0
    if there >= file["size"]:
        part.unlink(missing_ok=True)
        there = 0
    with _open(url, there) as answer, part.open("ab" if answer.status == _PARTIAL else "wb") as stream:
        _pour(answer, stream, file["size"])
    size = part.stat().st_size
    if size < file["size"]:
        raise UselessError(f"{url} ended after {size} of {file['size']} bytes")
    if not _is_whole(part, file):
        part.unlink()
        raise UselessError(f"{url} is not what bundle.json says: sha256 {file['sha256']}, {file['size']} bytes")
    part.replace(target)


def _pour(answer: http.client.HTTPResponse, stream: BinaryIO, most: int) -> None:
    """Writes what comes as it comes, so that the next try goes on from there; no more than one byte too many."""
    while stream.tell() <= most and (chunk := answer.read(min(_CHUNK, most + 1 - stream.tell()))):
        stream.write(chunk)


def _open(url: str, start: int) -> http.client.HTTPResponse:
    headers = {"Range": f"bytes={start}-"} if start else {}
    answer: http.client.HTTPResponse = urllib.request.urlopen(  # noqa: S310  the digest decides
        urllib.request.Request(url, headers=headers),  # noqa: S310
        timeout=_PATIENCE,
    )
    return answer


def _patiently(attempt: Callable[[], T], tried: int = 1) -> T:
    """What the attempt gives, at last; `UselessError` where it never does."""
    try:
        return attempt()
    except (UselessError, OSError, http.client.HTTPException) as error:
        if tried == TRIES:
            raise UselessError(f"after {TRIES} tries: {error!s:.500} ({type(error).__name__})") from error
    time.sleep(_PAUSE * 2 ** (tried - 1) * random.uniform(0.8, 1.2))  # noqa: S311
    return _patiently(attempt, tried + 1)


def _is_whole(path: Path, file: dict[str, Any]) -> bool:
    if not path.is_file() or path.stat().st_size != file["size"]:
        return False
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    wanted: str = file["sha256"]
    return digest.hexdigest() == wanted
