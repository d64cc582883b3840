"""A lock becomes the folder that a bake installs from."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from imagegen.fetching.client import Client
from imagegen.fetching.download import Expected, Hear, download, mismatch
from imagegen.fetching.failure import FetchError, MissingError, StoppedError
from imagegen.fetching.registry import Registries
from imagegen.fetching.resolving import read_member
from imagegen.lock import FOLDERS, FileKind, Lock, LockedFile, LockedImage, bundle_index
from imagegen.supply.oci import read_reference

INDEX = "bundle.json"
PARTS = ".parts"
_WORKERS = 4
_FOLDERS = frozenset({*FOLDERS.values(), "images"})
_PROGRAMS = frozenset({FileKind.BINARY, FileKind.CNI})
_GONE = "gone from the archive: run `imagegen lock` again, or bake from a bundle that was made before"
_CHANGED = "it is not what was locked: a mirror lies, or its vendor changed it; `imagegen lock` looks at it anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundling:
    """One bundle, and who hears of it: `hear` of bytes, `said` of a file that is there."""

    client: Client
    lock: Lock
    architecture: str
    folder: Path
    docker_hub: str
    hear: Hear = field(default=lambda _: None)
    said: Callable[[str], None] = field(default=lambda _: None)

    @property
    def parts(self) -> Path:
        return self.folder / PARTS


Task = tuple[str, Callable[[], None]]


def foreign_files(bundling: Bundling) -> tuple[str, ...]:
    """What lies in the folder and belongs neither to this bundle nor to an older one: the bake would refuse it."""
    folder, provision = bundling.folder, bundling.lock.provision(bundling.architecture)
    known = {*_listed(folder), *(file.path for file in provision.files), *(image.path for image in provision.images)}
    there = (path for path in sorted(folder.rglob("*")) if not path.is_dir())
    names = (path.relative_to(folder).as_posix() for path in there)
    mine = {INDEX, PARTS}
    return tuple(name for name in names if name not in known and name.partition("/")[0] not in mine)


def missing(bundling: Bundling) -> tuple[LockedFile | LockedImage, ...]:
    """The files that are not there as the lock has them."""
    provision = bundling.lock.provision(bundling.architecture)
    everything: Sequence[LockedFile | LockedImage] = (*provision.files, *provision.images)
    with ThreadPoolExecutor(max_workers=_WORKERS) as pool:
        whole = pool.map(lambda entry: _is_whole(bundling.folder / entry.path, entry), everything)
        return tuple(entry for entry, is_whole in zip(everything, whole, strict=True) if not is_whole)


def transferred(entries: Sequence[LockedFile | LockedImage]) -> int:
    """About how many bytes come over the net for them: an archive once, however many files are taken out of it."""
    sizes = {}
    for entry in entries:
        archive = entry.archive if isinstance(entry, LockedFile) else None
        sizes[entry.url if isinstance(entry, LockedFile) else entry.path] = archive.size if archive else entry.size
    return sum(sizes.values())


def make_bundle(bundling: Bundling, wanted: Sequence[LockedFile | LockedImage]) -> None:
    """Fetch what is missing, and write bundle.json when all is there; what came before a failure is kept."""
    bundling.parts.mkdir(parents=True, exist_ok=True)
    _forget_old(bundling)
    _run(bundling, tuple(_tasks(bundling, wanted)))
    text = bundle_index(bundling.lock, bundling.architecture)
    part = bundling.parts / INDEX
    part.write_text(text, encoding="utf-8")
    part.replace(bundling.folder / INDEX)
    shutil.rmtree(bundling.parts)


def _listed(folder: Path) -> frozenset[str]:
    try:
        files = json.loads((folder / INDEX).read_text(encoding="utf-8"))["files"]
        return frozenset(str(file["path"]) for file in files)
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()


def _forget_old(bundling: Bundling) -> None:
    """Of an older bundle in the folder, what is not in this one; nothing that imagegen did not put there."""
    new = bundle_index(bundling.lock, bundling.architecture)
    kept = {str(file["path"]) for file in json.loads(new)["files"]}
    for path in _listed(bundling.folder) - kept:
        if path.partition("/")[0] in _FOLDERS and ".." not in path:
            (bundling.folder / path).unlink(missing_ok=True)
    index = bundling.folder / INDEX
    if index.exists() and index.read_text(encoding="utf-8", errors="replace") != new:
        index.unlink()


def _is_whole(path: Path, entry: LockedFile | LockedImage) -> bool:
    return path.is_file() and not mismatch(path, Expected(sums={"sha256": entry.sha256}, size=entry.size))


def _run(bundling: Bundling, tasks: Sequence[Task]) -> None:
    """All tasks, some at once; at the first failure, or Ctrl-C, the others end where they are."""
    pool = ThreadPoolExecutor(max_workers=_WORKERS)
    failures: list[BaseException] = []
    try:
        futures = {pool.submit(work): name for name, work in tasks}
        for future in as_completed(futures):
            error = future.exception()
            if error is None:
                bundling.said(futures[future])
                continue
            bundling.client.stop()
            if not isinstance(error, StoppedError):
                failures.append(error)
    except BaseException:
        bundling.client.stop()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    if failures:
        raise failures[0]


def _tasks(bundling: Bundling, wanted: Sequence[LockedFile | LockedImage]) -> Iterator[Task]:
    archives: dict[str, list[LockedFile]] = {}
    # The largest first: they decide how long it takes.
    for entry in sorted(wanted, key=lambda entry: -entry.size):
        if isinstance(entry, LockedImage):
            yield entry.name, _image_task(bundling, entry)
        elif entry.archive is None:
            yield entry.path, _file_task(bundling, entry)
        else:
            archives.setdefault(entry.url, []).append(entry)
    for url, entries in archives.items():
        yield url.rpartition("/")[2], _archive_task(bundling, entries)


def _file_task(bundling: Bundling, file: LockedFile) -> Callable[[], None]:
    def work() -> None:
        expected = Expected(sums={"sha256": file.sha256}, size=file.size, otherwise=_CHANGED)
        part = bundling.parts / file.sha256
        try:
            download(bundling.client, file.url, part, expected, bundling.hear)
        except MissingError as error:
            hint = _GONE if file.kind is FileKind.PACKAGE else "its vendor took it away: run `imagegen lock` again"
            raise MissingError(str(error), hint) from error
        _put(bundling, part, file.path, executable=file.kind in _PROGRAMS)

    return work


def _archive_task(bundling: Bundling, files: Sequence[LockedFile]) -> Callable[[], None]:
    def work() -> None:
        url, archive = files[0].url, files[0].archive
        if archive is None:
            raise AssertionError
        expected = Expected(sums={"sha256": archive.sha256}, size=archive.size, otherwise=_CHANGED)
        whole = bundling.parts / archive.sha256
        download(bundling.client, url, whole, expected, bundling.hear)
        for file in files:
            member = file.archive.member if file.archive else ""
            content = read_member(whole, member, url)
            if sha256(content).hexdigest() != file.sha256:
                raise FetchError(f"{url}: `{member}` in it has another sha256 than was locked", _CHANGED)
            part = bundling.parts / file.sha256
            part.write_bytes(content)
            _put(bundling, part, file.path, executable=True)
        whole.unlink()

    return work


def _image_task(bundling: Bundling, image: LockedImage) -> Callable[[], None]:
    def work() -> None:
        registries = Registries(bundling.client)
        reference = read_reference(image.name, bundling.docker_hub)
        manifest = registries.resolve(reference, bundling.architecture, image.digest)
        scratch = bundling.parts / image.digest.rpartition(":")[2]
        path = registries.save(reference, manifest, bundling.architecture, scratch, bundling.hear)
        problem = mismatch(path, Expected(sums={"sha256": image.sha256}, size=image.size))
        if problem:
            raise FetchError(f"{image.name}: its archive differs: {problem}", _CHANGED)
        _put(bundling, path, image.path, executable=False)

    return work


def _put(bundling: Bundling, part: Path, path: str, *, executable: bool) -> None:
    target = bundling.folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    part.chmod(0o755 if executable else 0o644)
    part.replace(target)
