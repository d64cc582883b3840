"""Rules about machines that install themselves, and about a bundle that machines download."""

from __future__ import annotations

from collections.abc import Iterator

from imagegen.catalog import Catalog
from imagegen.diagnostics import Diagnostic, Path, Severity
from imagegen.spec import Cluster, Image, ImageSource, Install, source_of

_FIRST_BOOT = "python3"


def check_bundle_address(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG265: a bundle that is downloaded, and that nothing vouches for."""
    for place, image in _images(cluster):
        if image.bundle and image.bundle.url and not image.bundle.sha256:
            yield Diagnostic(
                code="IG265",
                message="the bundle is downloaded, and nothing says that it is the right one",
                hint="`sha256` is that of its bundle.json, which has those of all its files",
                path=(*place, "bundle", "url"),
                image=_document(image, place),
            )


def check_stock_source(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG266: machines with nothing to install."""
    for place, image in _images(cluster):
        served = image.bundle is not None and image.bundle.url
        if image.install is Install.STOCK and source_of(image) is ImageSource.BUNDLE and not served:
            yield Diagnostic(
                code="IG266",
                message=f"machines of the image `{image.metadata.name}` install themselves, and nothing says from what",
                hint="serve the bundle: bundle.url, and bundle.sha256",
                path=(*place, "install"),
                image=_document(image, place),
            )


def check_stock_settings(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG267: settings of an install that does not take place."""
    for place, image in _images(cluster):
        if image.stock.url and image.install is Install.BAKED:
            yield Diagnostic(
                code="IG267",
                message="`stock` has no effect: the image is baked",
                hint="`install: stock` makes machines install themselves",
                severity=Severity.WARNING,
                path=(*place, "stock"),
                on_key=True,
                image=_document(image, place),
            )


def check_stock_system(cluster: Cluster, catalog: Catalog) -> Iterator[Diagnostic]:
    """IG268: a system whose public image cannot run the install."""
    for place, image in _images(cluster):
        python = catalog.systems[image.os].python
        if image.install is Install.STOCK and python != _FIRST_BOOT:
            yield Diagnostic(
                code="IG268",
                message=f"the install wants {python}, which the public image of {image.os} does not have yet",
                hint="bake the image, or take another system",
                path=(*place, "os"),
                image=_document(image, place),
            )


def _images(cluster: Cluster) -> Iterator[tuple[Path, Image]]:
    """Every image, with its place in its document."""
    for name, image in cluster.known_images.items():
        yield (() if name in cluster.images else ("image",)), image


def _document(image: Image, place: Path) -> str:
    return "" if place else image.metadata.name
