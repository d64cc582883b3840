"""What an image needs, and where its vendors have it."""

from __future__ import annotations

from imagegen.catalog.origins import DownloadFacts, OriginFacts, RepositoryFacts, tag_for
from imagegen.frozen import dataclass
from imagegen.lock import FOLDERS, FileKind, Source
from imagegen.plan import ImagePlan


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedFile:
    """A program, and its vendor's sums; `member` is its name in the archive at `url`, empty where it is in none."""

    kind: FileKind
    name: str
    version: str
    url: str
    sums: str
    member: str = ""

    @property
    def path(self) -> str:
        return f"{FOLDERS[self.kind]}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedDisk:
    """The newest build of a cloud image: a folder of builds, the form of their names, and patterns of addresses."""

    builds: str
    build: str
    image: str
    sums: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """All that an image needs.

    `pins`: package → the beginning that its version must have. `images` are full references. No `disk`: the spec
    brings its own, at `own_disk` if that is an address.
    """

    files: tuple[WantedFile, ...]
    packages: tuple[str, ...]
    pins: dict[str, str]
    repositories: tuple[RepositoryFacts, ...]
    images: tuple[str, ...]
    disk: WantedDisk | None = None
    own_disk: str = ""


def want(plan: ImagePlan, origins: OriginFacts, own_disk: str | None) -> Wanted:
    """What the planned image needs; `own_disk` is the base that the spec itself names.

    `KeyError` for a system whose vendor is not known.
    """
    system = origins.systems[plan.os]
    packages = (*plan.packages, *plan.kubernetes_packages, *plan.runtime.packages)
    from_packages = plan.supply.source == Source.PACKAGES
    repositories = [origins.repositories[name] for name in system.repositories]
    pins = {}
    if from_packages:
        pins = dict.fromkeys(plan.kubernetes_packages, f"{plan.kubernetes_version}-")
        pins |= dict.fromkeys(plan.runtime.packages, f"{plan.runtime.version}-")
        repositories += [_of_minor(origins.repositories["kubernetes"], plan.kubernetes_version)]
        repositories += [origins.repositories[system.runtime_repository]]
    disk = WantedDisk(
        builds=system.builds,
        build=system.build,
        image=system.image.replace("{architecture}", plan.architecture),
        sums=system.sums,
    )
    return Wanted(
        files=() if from_packages else _files(plan, origins),
        packages=packages,
        pins=pins,
        repositories=tuple(repositories),
        images=wanted_images(plan, origins),
        disk=None if own_disk else disk,
        own_disk=own_disk if own_disk and own_disk.startswith(("http://", "https://")) else "",
    )


def wanted_images(plan: ImagePlan, origins: OriginFacts) -> tuple[str, ...]:
    """What kubeadm asks for, and the CNI plugin's images."""
    repository, version = plan.sandbox_image.rpartition("/")[0], plan.kubernetes_version
    deeper = "/coredns" if repository == origins.repository else ""
    return (
        *(f"{repository}/{name}:v{version}" for name in origins.control_plane),
        f"{repository}{deeper}/coredns:{tag_for(version, origins.coredns)}",
        f"{repository}/etcd:{tag_for(version, origins.etcd)}",
        plan.sandbox_image,
        *plan.cni_images,
    )


def _of_minor(facts: RepositoryFacts, version: str) -> RepositoryFacts:
    url = facts.url.replace("{minor}", version.rpartition(".")[0])
    return RepositoryFacts(url=url, suite=facts.suite, components=facts.components, keyrings=facts.keyrings)


def _files(plan: ImagePlan, origins: OriginFacts) -> tuple[WantedFile, ...]:
    downloads, architecture = origins.downloads, plan.architecture

    def file(facts: DownloadFacts, kind: FileKind, name: str, version: str) -> WantedFile:
        words = {"version": version, "architecture": architecture, "name": name}
        return WantedFile(
            kind=kind,
            name=name,
            version=version,
            url=facts.url.format(**words),
            sums=facts.sums.format(**words),
            member=facts.member.format(**words),
        )

    binary, runc, cni = FileKind.BINARY, downloads["runc"], downloads["cni-plugins"]
    # Where a system has a package of runc among those of every image, that one is taken.
    with_runc = () if "runc" in plan.packages else (file(runc, binary, "runc", runc.version),)
    kubernetes = plan.kubernetes_version
    return (
        *(file(downloads["kubernetes"], binary, name, kubernetes) for name in plan.kubernetes_binaries),
        *(file(downloads["containerd"], binary, name, plan.runtime.version) for name in plan.runtime.binaries),
        *with_runc,
        *(file(cni, FileKind.CNI, name, cni.version) for name in plan.cni_plugins),
    )
