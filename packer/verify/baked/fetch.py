"""The files that a lock lists, fetched by their addresses into a folder laid out as a bundle."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tarfile
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from baked.bundle import Wanted, heading_problems

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_TRIES = 5
# A whole file that is another one may be a cache's mistake, once.
_LIES = 2
_AT_ONCE = 2
_CHUNK = 1 << 20
_UNFINISHED = ".part"
# These will say the same again.
_FINAL = frozenset({400, 401, 403, 404, 405, 410, 451})


@dataclass(frozen=True)
class Pace:
    """How long to wait: for a server that says nothing, and before another try; in seconds."""

    silence: float = 60
    pause: float = 2


@dataclass(frozen=True)
class Download:
    """One address, and what must come from it."""

    url: str
    sha256: str
    size: int
    path: str


class FetchError(Exception):
    """A file that could not be had, or is not the one that the lock names."""


def fetch(lock: Path, folder: Path, wanted: Wanted, mirrors: Mirrors, pace: Pace = Pace()) -> list[str]:
    """Fill the folder and write its bundle.json; give what went wrong, nothing where all is there.

    A file gets its name only when its size and SHA-256 are the lock's; what is there already is not fetched again.
    """
    described = json.loads(lock.read_text())
    problems = heading_problems(described, wanted)
    if problems:
        return [f"lock.json: {problem}" for problem in problems]
    files = [file for file in described["files"] if "url" in file]
    if outside := [file["path"] for file in files if not _is_inside(file["path"])]:
        return [f"lock.json: {outside[0]} is outside of the folder"]
    folder.mkdir(parents=True, exist_ok=True)
    missing = [file for file in files if not _is_there(folder, file)]
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        outcomes = pool.map(lambda download: _outcome(folder, download, mirrors, pace), _downloads(missing))
        problems = [problem for problem in outcomes if problem]
    if not problems:
        problems = _unpack(folder, missing)
    if not problems:
        _write_index(folder, described, files)
    return problems


@dataclass(frozen=True)
class Mirrors:
    """What is asked in place of an address, by its beginning.

    The first list with a beginning that fits decides, and in it the longest, of equal ones the first.
    """

    lists: Sequence[Sequence[tuple[str, str]]] = ()

    @classmethod
    def parse(cls, *texts: str) -> Mirrors:
        """Read lists of `OLD=NEW` words; `ValueError` for another word."""
        return cls([_pairs(text) for text in texts])

    def of(self, url: str) -> str:
        """The address to ask."""
        for pairs in self.lists:
            fitting = [(old, new) for old, new in pairs if url.startswith(old)]
            if fitting:
                old, new = max(fitting, key=lambda pair: len(pair[0]))
                return new + url[len(old) :]
        return url


def _pairs(text: str) -> list[tuple[str, str]]:
    words = [word.partition("=") for word in text.split()]
    if wrong := [old for old, equals, _ in words if not equals or not old]:
        raise ValueError(f"{wrong[0]!r} is not OLD=NEW")
    return [(old, new) for old, _, new in words]


def read_small(url: str, pace: Pace = Pace()) -> bytes:
    """The content of an address, tried several times; `FetchError` where it cannot be had."""
    said: object = None
    for attempt in range(_TRIES):
        time.sleep(pace.pause * attempt)
        content, said = _small(url, pace)
        if content is not None:
            return content
        if _is_final(said):
            break
    raise FetchError(f"{url}: {said}")


def _small(url: str, pace: Pace) -> tuple[bytes | None, object]:
    try:
        with _open(url, 0, pace) as response:
            return response.read(_CHUNK), None
    except (OSError, ValueError) as failure:
        return None, failure


def digest_of(lock: Path, image: str) -> str:
    """The digest that the lock has for an image; `FetchError` where it has none."""
    for file in json.loads(lock.read_text())["files"]:
        if file["kind"] == "image" and file["name"] == image and "digest" in file:
            digest: str = file["digest"]
            return digest
    raise FetchError(f"lock.json has no digest of {image}")


def _downloads(files: list[dict[str, Any]]) -> list[Download]:
    # Several files of one archive are one download.
    downloads = {}
    for file in files:
        archive = file.get("archive")
        source = archive or file
        path = f"{_archive_name(file)}" if archive else file["path"]
        downloads[file["url"]] = Download(file["url"], source["sha256"], source["size"], path)
    return list(downloads.values())


def _archive_name(file: dict[str, Any]) -> str:
    return f".archive-{file['archive']['sha256']}"


def _outcome(folder: Path, download: Download, mirrors: Mirrors, pace: Pace) -> str:
    url = mirrors.of(download.url)
    try:
        _download(folder / download.path, download, url, pace)
    except FetchError as failure:
        return f"{download.path}: {failure}"
    print(f"fetched {url}", file=sys.stderr, flush=True)  # noqa: T201
    return ""


def _download(target: Path, download: Download, url: str, pace: Pace) -> None:
    unfinished = target.with_name(target.name + _UNFINISHED)
    target.parent.mkdir(parents=True, exist_ok=True)
    said: object = None
    lies = 0
    for attempt in range(_TRIES):
        time.sleep(pace.pause * attempt)
        try:
            _append(unfinished, download, url, pace)
        except (OSError, ValueError) as failure:
            said = failure
            if _is_final(failure):
                break
            continue
        said = _difference(unfinished, download.sha256, download.size)
        if not said:
            unfinished.rename(target)
            return
        # What is wrong does not become right by going on where it ended.
        unfinished.unlink()
        lies += 1
        if lies == _LIES:
            break
    raise FetchError(f"{url}: {said}")


def _append(unfinished: Path, download: Download, url: str, pace: Pace) -> None:
    have = unfinished.stat().st_size if unfinished.exists() else 0
    if have >= download.size:
        return
    with _open(url, have, pace) as response, unfinished.open("ab") as file:
        if have and response.status != 206:  # noqa: PLR2004  the server starts again from the beginning
            file.truncate(0)
            have = 0
        # What came before a silence is kept: `read` would wait for a whole chunk, and lose it.
        while chunk := response.read1(_CHUNK):
            have += len(chunk)
            # More than there can be is never written: a disk is not for a server to fill.
            if have > download.size:
                raise ValueError(f"more than the {download.size} bytes that the lock has")
            file.write(chunk)
    if have < download.size:
        raise ValueError(f"cut off after {have} of {download.size} bytes")


def _open(url: str, start: int, pace: Pace) -> Any:
    if not url.startswith(("https://", "http://")):
        raise FetchError(f"{url}: neither https nor http")
    headers = {"User-Agent": "imagegen", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=pace.silence)  # noqa: S310
    except urllib.error.HTTPError as failure:
        failure.close()
        raise


def _is_final(failure: object) -> bool:
    return isinstance(failure, urllib.error.HTTPError) and failure.code in _FINAL


def _difference(path: Path, sha256: str, size: int) -> str:
    found = path.stat().st_size
    if found != size:
        return f"{found} bytes, the lock has {size}"
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return "" if digest.hexdigest() == sha256 else f"sha256 {digest.hexdigest()}, the lock has {sha256}"


def _is_there(folder: Path, file: dict[str, Any]) -> bool:
    path = folder / file["path"]
    return path.is_file() and not _difference(path, file["sha256"], file["size"])


def _unpack(folder: Path, files: list[dict[str, Any]]) -> list[str]:
    problems = []
    archives: dict[str, list[dict[str, Any]]] = {}
    for file in files:
        if "archive" in file:
            archives.setdefault(_archive_name(file), []).append(file)
    for name, members in archives.items():
        try:
            with tarfile.open(folder / name) as archive:
                for file in members:
                    _extract(archive, file, folder / file["path"])
        except (FetchError, OSError, KeyError, tarfile.TarError) as failure:
            problems.append(f"{members[0]['url']}: {failure}")
        (folder / name).unlink()
    return problems


def _extract(archive: tarfile.TarFile, file: dict[str, Any], target: Path) -> None:
    # Read, not extracted: an archive has no say in where something is written, or as what.
    content = archive.extractfile(file["archive"]["member"])
    if content is None:
        raise FetchError(f"{file['archive']['member']} is no file")
    unfinished = target.with_name(target.name + _UNFINISHED)
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    with content, unfinished.open("wb") as written:
        shutil.copyfileobj(content, written)
    difference = _difference(unfinished, file["sha256"], file["size"])
    if difference:
        unfinished.unlink()
        raise FetchError(f"{file['archive']['member']}: {difference}")
    unfinished.rename(target)


def _is_inside(path: str) -> bool:
    return not path.startswith("/") and ".." not in path.split("/")


def _write_index(folder: Path, described: dict[str, Any], files: list[dict[str, Any]]) -> None:
    index = {**described, "files": files}
    (folder / "bundle.json").write_text(json.dumps(index, indent=2) + "\n")
