"""Rules about machines that install themselves."""

from __future__ import annotations

from collections.abc import Iterator

from imagegen.catalog import Catalog
from imagegen.diagnostics import Diagnostic, Path, Severity
from imagegen.spec import Cluster, Image, Install


def check_bundle_address(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG265: a bundle that is downloaded, and that nothing vouches for. IG266: machines with nothing to install."""
    for place, image in _images(cluster):
        if image.bundle.url and not image.bundle.sha256:
            yield Diagnostic(
                code="IG265",
                message="the bundle is downloaded, and nothing says that it is the right one",
                hint="`sha256` is that of its bundle.json, which has those of all its files",
                path=(*place, "bundle", "url"),
                image=_document(image, place),
            )
        if image.install is Install.STOCK and not image.bundle.url:
            yield Diagnostic(
                code="IG266",
                message=f"machines of the image `{image.metadata.name}` install themselves, and nothing says from what",
                hint="serve an offline bundle to them: bundle.url, and bundle.sha256",
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


def _images(cluster: Cluster) -> Iterator[tuple[Path, Image]]:
    """Every image, with its place in its document."""
    for name, image in cluster.known_images.items():
        yield (() if name in cluster.images else ("image",)), image


def _document(image: Image, place: Path) -> str:
    return "" if place else image.metadata.name
