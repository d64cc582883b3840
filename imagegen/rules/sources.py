"""Rules about where an image gets what is installed in it."""

from __future__ import annotations

from collections.abc import Iterator

from imagegen.catalog import Catalog
from imagegen.diagnostics import Diagnostic, Path
from imagegen.spec import Cluster, Image, ImageSource, InlineImage, Install, source_of

_Described = tuple[Image | InlineImage, Path, str]


def check_sources(cluster: Cluster, catalog: Catalog) -> Iterator[Diagnostic]:
    """IG280: a bundle that is not used. IG281: no repository to take packages from."""
    for image, path, document in _described(cluster):
        source = source_of(image)
        if image.bundle is not None and source is not ImageSource.BUNDLE:
            yield Diagnostic(
                code="IG280",
                message=f"the image is made of {source}, and has a bundle, too",
                hint="leave `bundle` out, or say source: bundle",
                path=(*path, "bundle"),
                on_key=True,
                image=document,
            )
        if source is ImageSource.PACKAGES and not _has_repositories(image, catalog):
            yield Diagnostic(
                code="IG281",
                message=f"no vendor's repository of containerd is known to fit {image.os}",
                hint="take `source: binaries` with a lock, or a bundle",
                path=(*path, "os" if image.source is None else "source"),
                image=document,
            )


def check_base(cluster: Cluster, catalog: Catalog) -> Iterator[Diagnostic]:
    """IG283: nothing to start from: the system has no cloud image for everybody, and the spec names none."""
    if catalog.providers[cluster.provider.type].builder != "qemu":
        return
    for image, path, document in _described(cluster):
        baked = image.install is Install.BAKED
        usual = catalog.vendors.base_image(catalog.systems[image.os], image.architecture)
        if baked and image.qemu.source is None and usual is None:
            yield Diagnostic(
                code="IG283",
                message=f"there is no cloud image of {image.os} that everybody may fetch",
                hint="qemu.source names one of yours, qemu.checksum its checksum",
                path=(*path, "os"),
                image=document,
            )


def _described(cluster: Cluster) -> Iterator[_Described]:
    if cluster.image is not None:
        yield cluster.image, ("image",), ""
    for name, image in cluster.images.items():
        yield image, (), name


def _has_repositories(image: Image | InlineImage, catalog: Catalog) -> bool:
    system, minor = catalog.systems[image.os], catalog.minors[-1]
    return all(
        catalog.vendors.repository(content, system, architecture=image.architecture, minor=minor) is not None
        for content in catalog.vendors.repositories
    )
