"""What an image needs becomes what it is locked to: each thing found, seen and hashed."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TypeVar
from urllib.parse import urljoin

from imagegen.catalog.vendors import MACHINES, DiskFacts
from imagegen.fetching.archives import add_repository
from imagegen.fetching.client import Client
from imagegen.fetching.download import Expected, Hear, download, hash_of
from imagegen.fetching.failure import FetchError, MissingError
from imagegen.fetching.registry import Registries
from imagegen.fetching.repositories import open_repository
from imagegen.fetching.trust import Trust
from imagegen.lock import Archive, BaseDisk, FileKind, LockedFile, LockedImage, Provision
from imagegen.supply.debian import Archives, UnresolvedError, closure
from imagegen.supply.found import FoundPackage
from imagegen.supply.oci import archive_name, read_reference
from imagegen.supply.sums import find_sum
from imagegen.supply.wanted import Wanted, WantedFile

_WORKERS = 4
_GONE = "gone from the archive: run `imagegen lock` again, or bake from a bundle"
_T = TypeVar("_T")
_R = TypeVar("_R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How is asked: with which keys, whether an index is enough, and who hears of it."""

    client: Client
    scratch: Path
    docker_hub: str
    trust: Trust = field(default_factory=Trust)
    trust_index: bool = False
    said: Callable[[str], None] = lambda _: None
    hear: Hear = field(default=lambda _: None)


def resolve(wanted: Wanted, architecture: str, old: Provision, asking: Asking) -> Provision:
    """All that is wanted; what `old` has of an address is kept, unless its vendor speaks against it."""
    base = _base(wanted, old, asking)
    files = [*_programs(wanted, old, asking), *_packages(wanted, architecture, old, asking)]
    images = _each(lambda name: _image(name, architecture, old, asking), wanted.images, asking)
    return Provision(base=base, files=tuple(files), images=tuple(images))


def _each(work: Callable[[_T], _R], items: Sequence[_T], asking: Asking) -> list[_R]:
    """The work on all items, some at once; the first failure ends it."""
    pool = ThreadPoolExecutor(max_workers=_WORKERS)
    try:
        futures = [pool.submit(work, item) for item in items]
        return [future.result() for future in futures]
    except BaseException:
        asking.client.stop()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _base(wanted: Wanted, old: Provision, asking: Asking) -> BaseDisk | None:
    if wanted.disk is None and not wanted.own_disk:
        return None
    if wanted.disk is None:
        url, sums = wanted.own_disk, None
    else:
        url, sums = _newest(wanted.disk, asking.client)
    if old.base is not None and old.base.url == url:
        return old.base
    asking.said(f"base disk {url.rpartition('/')[2]}")
    said = _vendor_sum(asking.client, sums, url) if sums else {}
    path = _fetch(url, "base", Expected(sums=said), asking)
    return BaseDisk(url=url, sha256=hash_of(path))


def _newest(disk: DiskFacts, client: Client) -> tuple[str, str]:
    builds = re.findall(disk.build, client.text(disk.folder))
    if not builds:
        raise FetchError(f"{client.named(disk.folder)}: there is no build of the form {disk.build}")
    newest = max(builds, key=lambda build: [int(number) for number in re.findall("[0-9]+", build)])
    image = urljoin(disk.folder, disk.image.replace("{build}", newest))
    return image, urljoin(image, disk.sums)


def _vendor_sum(client: Client, sums: str, url: str) -> Mapping[str, str]:
    name = url.rpartition("/")[2]
    found = find_sum(client.text(sums), name)
    if not found:
        raise FetchError(f"{client.named(sums)}: it says nothing of {name}")
    return found


def _fetch(url: str, name: str, expected: Expected, asking: Asking) -> Path:
    path = asking.scratch / sha256(f"{name} {url}".encode()).hexdigest()
    download(asking.client, url, path, expected, asking.hear)
    return path


def _programs(wanted: Wanted, old: Provision, asking: Asking) -> list[LockedFile]:
    by_url: dict[str, list[WantedFile]] = {}
    for file in wanted.files:
        by_url.setdefault(file.url, []).append(file)
    found = _each(lambda files: _release(files, old, asking), tuple(by_url.values()), asking)
    return [file for files in found for file in files]


def _release(files: Sequence[WantedFile], old: Provision, asking: Asking) -> list[LockedFile]:
    """The programs that come from one address."""
    url = files[0].url
    said = _vendor_sum(asking.client, files[0].sums, url) if files[0].sums else {}
    before = {file.path: file for file in old.files if file.url == url and _agrees(file, said)}
    if all(file.path in before and before[file.path].name == file.name for file in files):
        return [before[file.path] for file in files]
    asking.said(url.rpartition("/")[2])
    path = _fetch(url, "", Expected(sums=said), asking)
    locked = [_locked(file, path) for file in files]
    path.unlink()
    return locked


def _agrees(file: LockedFile, said: Mapping[str, str]) -> bool:
    seen = file.archive.sha256 if file.archive else file.sha256
    return said.get("sha256", seen) == seen


def _locked(file: WantedFile, path: Path) -> LockedFile:
    size, digest, archive = path.stat().st_size, hash_of(path), None
    if file.images:
        _require_images(file, path)
    if file.member:
        archive = Archive(sha256=digest, size=size, member=file.member)
        content = read_member(path, file.member, file.url)
        size, digest = len(content), sha256(content).hexdigest()
    return LockedFile(
        path=file.path,
        kind=file.kind,
        name=file.name,
        version=file.version,
        url=file.url,
        sha256=digest,
        size=size,
        archive=archive,
    )


def _require_images(file: WantedFile, path: Path) -> None:
    """What a manifest asks for is locked: a node without a registry would wait for anything else for ever."""
    text = path.read_text(encoding="utf-8", errors="replace")
    named = frozenset(word.strip("\"'") for word in re.findall(r"(?m)^[ -]*image:[ ]*(\S+)", text))
    if named != frozenset(file.images):
        asked, known = ", ".join(sorted(named)) or "none", ", ".join(file.images)
        raise FetchError(f"{file.url}: it asks for other images ({asked}) than are known of it ({known})")


def read_member(path: Path, member: str, url: str) -> bytes:
    """A file out of a tar.gz; `FetchError` where it is not in it."""
    try:
        with tarfile.open(path, "r:*") as archive:
            stream = archive.extractfile(member)
            if stream is not None:
                return stream.read()
    except (KeyError, tarfile.TarError, OSError) as error:
        raise FetchError(f"{url}: there is no `{member}` in it: {error}") from error
    raise FetchError(f"{url}: `{member}` in it is no file")


def _packages(wanted: Wanted, architecture: str, old: Provision, asking: Asking) -> list[LockedFile]:
    if not wanted.packages:
        return []
    asking.said(f"indexes of {len(wanted.archives)} package archives")
    chosen = (_rpms if wanted.family == "dnf" else _debs)(wanted, architecture, asking)
    asking.said(f"{len(chosen)} packages")
    before = {(file.url, file.sha256): file for file in old.files if file.kind is FileKind.PACKAGE}
    return _each(lambda package: _package(package, before, asking), chosen, asking)


def _debs(wanted: Wanted, architecture: str, asking: Asking) -> tuple[FoundPackage, ...]:
    archives = Archives()
    for facts in wanted.archives:
        add_repository(asking.client, archives, facts, architecture, asking.trust)
    try:
        return tuple(package.found for package in closure(archives, wanted.packages, wanted.pins))
    except UnresolvedError as error:
        raise FetchError(str(error)) from error


def _rpms(wanted: Wanted, architecture: str, asking: Asking) -> tuple[FoundPackage, ...]:
    from imagegen.fetching.solving import Asked, solve  # noqa: PLC0415  an extra

    asked = Asked(names=wanted.packages, base=wanted.base, machine=MACHINES[architecture], pins=wanted.pins)
    opened = [open_repository(asking.client, facts, asking.trust, asking.scratch) for facts in wanted.archives]
    return solve(opened, asked)


def _package(package: FoundPackage, before: Mapping[tuple[str, str], LockedFile], asking: Asking) -> LockedFile:
    if (package.url, package.sha256) in before:
        return before[package.url, package.sha256]
    if not asking.trust_index:
        expected = Expected(sums={"sha256": package.sha256}, size=package.size)
        try:
            _fetch(package.url, package.name, expected, asking).unlink()
        except MissingError as error:
            raise MissingError(str(error), _GONE) from error
    return LockedFile(
        path=f"packages/{package.name}.{package.suffix}",
        kind=FileKind.PACKAGE,
        name=package.name,
        version=package.version,
        url=package.url,
        sha256=package.sha256,
        size=package.size,
    )


def _image(name: str, architecture: str, old: Provision, asking: Asking) -> LockedImage:
    registries = Registries(asking.client)
    reference = read_reference(name, asking.docker_hub)
    manifest = registries.resolve(reference, architecture)
    for image in old.images:
        if (image.name, image.digest) == (name, manifest.digest):
            return image
    asking.said(name)
    folder = asking.scratch / archive_name(name).removesuffix(".tar")
    path = registries.save(reference, manifest, architecture, folder, asking.hear)
    locked = LockedImage(
        name=name,
        digest=manifest.digest,
        path=f"images/{archive_name(name)}",
        sha256=hash_of(path),
        size=path.stat().st_size,
    )
    path.unlink()
    return locked
