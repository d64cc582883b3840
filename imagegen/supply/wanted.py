"""What an image needs, and where its vendors have it."""

from __future__ import annotations

from imagegen.catalog import Catalog
from imagegen.catalog.vendors import ArchiveFacts, DiskFacts, ImageTags, ReleaseFacts, VendorFacts, archive_of, tag_for
from imagegen.frozen import dataclass
from imagegen.lock import FOLDERS, FileKind, Source
from imagegen.plan import ImagePlan


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedFile:
    """A file, and its vendor's sums, if there are any.

    `member` is its name in the archive at `url`, empty where it is in none; a manifest asks for these `images`.
    """

    kind: FileKind
    name: str
    version: str
    url: str
    sums: str
    member: str = ""
    images: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        return f"{FOLDERS[self.kind]}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """All that an image needs.

    `pins`: package → the beginning that its version must have. `base`: packages that a machine has. `images` are full
    references. No `disk`: the spec brings its own, at `own_disk` if that is an address.
    """

    files: tuple[WantedFile, ...]
    family: str
    packages: tuple[str, ...]
    base: tuple[str, ...]
    pins: dict[str, str]
    archives: tuple[ArchiveFacts, ...]
    images: tuple[str, ...]
    disk: DiskFacts | None = None
    own_disk: str = ""


def why_not(plan: ImagePlan, catalog: Catalog) -> str:
    """Why the image cannot be locked; nothing: it can.

    Of a system whose archives are closed, programs and images can: its packages come from its own repositories then.
    """
    return "" if plan.supply.source == Source.BINARIES else catalog.vendors.closed(catalog.systems[plan.os])


def want(plan: ImagePlan, catalog: Catalog, own_disk: str | None) -> Wanted:
    """What the planned image needs; `own_disk` is the base that the spec itself names."""
    vendors, system, family = catalog.vendors, catalog.systems[plan.os], catalog.family_of(plan.os)
    from_packages = plan.supply.source == Source.PACKAGES
    packages = (*plan.packages, *plan.kubernetes_packages, *plan.runtime.packages)
    archives, pins = vendors.archives(system, plan.architecture), {}
    if from_packages:
        pins = dict.fromkeys(plan.kubernetes_packages, f"{plan.kubernetes_version}-")
        pins |= dict.fromkeys(plan.runtime.packages, f"{plan.runtime.version}-")
        archives += _vendors_archives(plan, catalog)
    return Wanted(
        files=(*(() if from_packages else _files(plan, vendors)), *_manifests(plan)),
        family=system.family,
        packages=() if vendors.closed(system) else packages,
        base=family.base,
        pins=pins,
        archives=archives,
        images=wanted_images(plan, vendors.images),
        disk=None if own_disk else vendors.disk(system, plan.architecture),
        own_disk=own_disk if own_disk and own_disk.startswith(("http://", "https://")) else "",
    )


def _vendors_archives(plan: ImagePlan, catalog: Catalog) -> tuple[ArchiveFacts, ...]:
    vendors, minor = catalog.vendors, plan.kubernetes_version.rpartition(".")[0]
    system = catalog.systems[plan.os]
    found = (
        vendors.repository(content, system, architecture=plan.architecture, minor=minor)
        for content in vendors.repositories
    )
    return tuple(archive_of(repository) for repository in found if repository is not None)


def wanted_images(plan: ImagePlan, tags: ImageTags) -> tuple[str, ...]:
    """What kubeadm asks for, and further manifests."""
    repository, version = plan.sandbox_image.rpartition("/")[0], plan.kubernetes_version
    deeper = "/coredns" if repository == tags.repository else ""
    return (
        *(f"{repository}/{name}:v{version}" for name in tags.control_plane),
        f"{repository}{deeper}/coredns:{tag_for(version, tags.coredns)}",
        f"{repository}/etcd:{tag_for(version, tags.etcd)}",
        plan.sandbox_image,
        *plan.further_images,
    )


def _manifests(plan: ImagePlan) -> tuple[WantedFile, ...]:
    """A network plugin's own; its vendor has no sums of it: what was seen first is what is locked."""
    manifest = plan.cni_manifest
    if manifest is None:
        return ()
    return (
        WantedFile(
            kind=FileKind.MANIFEST,
            name=manifest.name,
            version=manifest.version,
            url=manifest.url,
            sums="",
            images=manifest.images,
        ),
    )


def _files(plan: ImagePlan, vendors: VendorFacts) -> tuple[WantedFile, ...]:
    downloads, architecture = vendors.binaries, plan.architecture

    def file(facts: ReleaseFacts, kind: FileKind, name: str, version: str) -> WantedFile:
        words = {"version": version, "architecture": architecture, "name": name}
        url = facts.url.format(**words)
        return WantedFile(
            kind=kind,
            name=name,
            version=version,
            url=url,
            sums=facts.sums_of(url),
            member=facts.member.format(**words),
        )

    binary, runc, cni = FileKind.BINARY, downloads["runc"], downloads["cni"]
    # Where a system has a package of runc among those of every image, that one is taken.
    with_runc = () if "runc" in plan.packages else (file(runc, binary, "runc", runc.version),)
    kubernetes = plan.kubernetes_version
    return (
        *(file(downloads["kubernetes"], binary, name, kubernetes) for name in plan.kubernetes_binaries),
        *(file(downloads["containerd"], binary, name, plan.runtime.version) for name in plan.runtime.binaries),
        *with_runc,
        *(file(cni, FileKind.CNI, name, cni.version) for name in plan.cni_plugins),
    )
