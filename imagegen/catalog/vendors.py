"""Where the bits come from that an image is made of, and who signs them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

from imagegen.catalog.systems import SystemFacts
from imagegen.frozen import dataclass

MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
"""An architecture's name to rpm and to uname."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A vendor's package repository: its address, and whose signature its packages must bear.

    `keyrings`: files that may have the key of its index.
    """

    url: str
    key: str
    fingerprint: str
    suite: str = ""
    keyrings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveFacts:
    """One index of packages, as it is asked; of Debian's form, one without a suite is flat."""

    url: str
    suite: str = ""
    components: tuple[str, ...] = ()
    keyrings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseFacts:
    """A release file: patterns of its address, of its vendor's sums, and of a program's name in it if it is an archive.

    No `version`: that is another's to say.
    """

    url: str
    sums: str
    version: str = ""
    member: str = ""

    def sums_of(self, url: str) -> str:
        """Where the vendor's sums of the file at an address are."""
        return urljoin(url, self.sums.replace("{url}", url))


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskFacts:
    """A distribution's cloud images: the folder of their builds, the form of a build's name, and where each lies in it.

    Without a `build` none of them has an address that stays.
    """

    folder: str
    latest: str
    sums: str
    build: str = ""
    image: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributionArchive:
    """A distribution's archive: its suites each have an index of their own, an rpm repository has no suites.

    No `architectures`: it has all of them.
    """

    url: str
    suites: tuple[str, ...] = ("",)
    components: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """A distribution's archives, the keys that sign them, and its disk; None where there is none for everybody.

    `closed`: why there are no archives for everybody.
    """

    archives: tuple[DistributionArchive, ...] = ()
    keyrings: tuple[str, ...] = ()
    disk: DiskFacts | None = None
    closed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageTags:
    """Container images; `etcd` and `coredns`: minor → patch release → the tag from there on."""

    repository: str
    control_plane: tuple[str, ...]
    docker_hub: str
    etcd: Mapping[str, Mapping[int, str]]
    coredns: Mapping[str, Mapping[int, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorFacts:
    """All of them; repositories by content and family, plain files by content, mirrors by profile."""

    repositories: Mapping[str, Mapping[str, Repository]]
    packages: Mapping[str, tuple[str, ...]]
    binaries: Mapping[str, ReleaseFacts]
    distributions: Mapping[str, Distribution]
    mirrors: Mapping[str, Mapping[str, str]]
    dnf_variables: Mapping[str, str]
    images: ImageTags

    def repository(self, content: str, system: SystemFacts, *, architecture: str, minor: str) -> Repository | None:
        """The repository of a content for a system; None where none is known to fit."""
        repository = self.repositories[content][system.family]
        if "{docker}" in repository.url and system.docker is None:
            return None
        words = {**_words(system, architecture), "minor": minor, "docker": system.docker}
        return Repository(
            url=repository.url.format(**words),
            suite=repository.suite.format(**words),
            key=repository.key.format(**words),
            fingerprint=repository.fingerprint,
            keyrings=repository.keyrings,
        )

    def mirrors_of(self, profile: str) -> Mapping[str, str]:
        """A profile's mirrors with the addresses that files are really asked at; none for a profile that is none."""
        return {self._plain(old): self._plain(new) for old, new in self.mirrors.get(profile, {}).items()}

    def _plain(self, address: str) -> str:
        for name, value in self.dnf_variables.items():
            address = address.replace(f"${name}", value)
        return address

    def base_image(self, system: SystemFacts, architecture: str) -> tuple[str, str] | None:
        """Address and checksum of the distributor's newest cloud image; None where there is none for everybody."""
        disk = self.disk(system, architecture)
        if disk is None:
            return None
        latest = urljoin(disk.folder, disk.latest)
        return latest, f"file:{urljoin(latest, disk.sums)}"

    def disk(self, system: SystemFacts, architecture: str) -> DiskFacts | None:
        """The distributor's cloud images for a system; None where there are none for everybody."""
        disk = self._distribution(system).disk
        if disk is None:
            return None
        words = {**_words(system, architecture), "build": "{build}"}
        return DiskFacts(
            folder=disk.folder.format(**words),
            latest=disk.latest.format(**words),
            sums=disk.sums,
            build=disk.build,
            image=disk.image.format(**words),
        )

    def archives(self, system: SystemFacts, architecture: str) -> tuple[ArchiveFacts, ...]:
        """The indexes of a system's own packages; none where none is known."""
        distribution, words = self._distribution(system), _words(system, architecture)
        return tuple(
            ArchiveFacts(
                url=archive.url.format(**words),
                suite=suite.format(**words),
                components=archive.components,
                keyrings=tuple(keyring.format(**words) for keyring in distribution.keyrings),
            )
            for archive in distribution.archives
            if architecture in (archive.architectures or MACHINES)
            for suite in archive.suites
        )

    def closed(self, system: SystemFacts) -> str:
        """Why a system's packages cannot be asked for by everybody; nothing: they can."""
        return self._distribution(system).closed

    def _distribution(self, system: SystemFacts) -> Distribution:
        return self.distributions.get(system.distribution, Distribution())


def tag_for(version: str, tags: Mapping[str, Mapping[int, str]]) -> str:
    """The tag that belongs to a version of Kubernetes; `KeyError` for an unknown minor."""
    minor, _, patch = version.rpartition(".")
    since = tags[minor]
    return since[max(first for first in since if first <= int(patch))]


def archive_of(repository: Repository) -> ArchiveFacts:
    """The index of a vendor's repository."""
    suite, *components = repository.suite.split() or [""]
    return ArchiveFacts(
        url=repository.url.rstrip("/"),
        suite="" if suite == "/" else suite,
        components=tuple(components),
        keyrings=repository.keyrings,
    )


def parse_vendors(tables: Mapping[str, Any]) -> VendorFacts:
    """vendors.toml."""
    return VendorFacts(
        repositories={
            content: {family: Repository(**_frozen(facts)) for family, facts in families.items()}
            for content, families in tables["repositories"].items()
        },
        packages={name: tuple(packages) for name, packages in tables["packages"].items()},
        binaries={name: ReleaseFacts(**facts) for name, facts in tables["binaries"].items()},
        distributions={name: _distribution(facts) for name, facts in tables["distributions"].items()},
        mirrors=tables["mirrors"],
        dnf_variables=tables["dnf_variables"],
        images=_images(tables["images"]),
    )


def _distribution(facts: Mapping[str, Any]) -> Distribution:
    return Distribution(
        archives=tuple(DistributionArchive(**_frozen(archive)) for archive in facts.get("archives", ())),
        keyrings=tuple(facts.get("keyrings", ())),
        disk=DiskFacts(**facts["disk"]) if "disk" in facts else None,
        closed=facts.get("closed", ""),
    )


def _images(facts: Mapping[str, Any]) -> ImageTags:
    return ImageTags(
        repository=facts["repository"],
        control_plane=tuple(facts["control_plane"]),
        docker_hub=facts["docker_hub"],
        etcd=_since(facts["etcd"]),
        coredns=_since(facts["coredns"]),
    )


def _words(system: SystemFacts, architecture: str) -> dict[str, str]:
    return {
        "architecture": architecture,
        "machine": MACHINES[architecture],
        "codename": system.codename,
        "release": system.release,
    }


def _frozen(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in facts.items()}


def _since(table: Mapping[str, Mapping[str, str]]) -> Mapping[str, Mapping[int, str]]:
    return {minor: {int(patch): tag for patch, tag in tags.items()} for minor, tags in table.items()}
