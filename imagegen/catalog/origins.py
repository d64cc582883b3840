"""Where vendors publish what goes into an image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imagegen.frozen import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadFacts:
    """A release file: patterns of its address, of its vendor's sums, and of a program's name in it if it is an archive.

    No `version`: that is another's to say.
    """

    url: str
    sums: str
    version: str = ""
    member: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryFacts:
    """A Debian repository; without a suite it is a flat one. `keyrings`: files that may have the key of its index."""

    url: str
    suite: str = ""
    components: tuple[str, ...] = ()
    keyrings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemOrigin:
    """A system's repositories by name, that of containerd's package apart, and where builds of its image lie.

    `build` is a regular expression.
    """

    repositories: tuple[str, ...]
    runtime_repository: str
    builds: str
    build: str
    image: str
    sums: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginFacts:
    """All of them; `etcd` and `coredns`: minor → patch release → the tag from there on."""

    downloads: Mapping[str, DownloadFacts]
    repositories: Mapping[str, RepositoryFacts]
    systems: Mapping[str, SystemOrigin]
    repository: str
    control_plane: tuple[str, ...]
    docker_hub: str
    etcd: Mapping[str, Mapping[int, str]]
    coredns: Mapping[str, Mapping[int, str]]


def tag_for(version: str, tags: Mapping[str, Mapping[int, str]]) -> str:
    """The tag that belongs to a version of Kubernetes; `KeyError` for an unknown minor."""
    minor, _, patch = version.rpartition(".")
    since = tags[minor]
    return since[max(first for first in since if first <= int(patch))]


def parse_origins(table: Mapping[str, Any]) -> OriginFacts:
    """Make them of origins.toml."""
    images = table["images"]
    return OriginFacts(
        downloads={name: DownloadFacts(**facts) for name, facts in table["downloads"].items()},
        repositories={name: RepositoryFacts(**_frozen(facts)) for name, facts in table["repositories"].items()},
        systems={name: SystemOrigin(**_frozen(facts)) for name, facts in table["systems"].items()},
        repository=images["repository"],
        control_plane=tuple(images["control_plane"]),
        docker_hub=images["docker_hub"],
        etcd=_since(images["etcd"]),
        coredns=_since(images["coredns"]),
    )


def _frozen(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in facts.items()}


def _since(table: Mapping[str, Mapping[str, str]]) -> Mapping[str, Mapping[int, str]]:
    return {minor: {int(patch): tag for patch, tag in tags.items()} for minor, tags in table.items()}
