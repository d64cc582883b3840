"""What commands that ask the net share: mirrors, a client, how it ends where something did not come."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer

from imagegen.cli.common import fail, stop
from imagegen.console import Format

if TYPE_CHECKING:
    from imagegen.fetching.client import Client
    from imagegen.pipeline import Assets
    from imagegen.spec import Cluster

MirrorOption = Annotated[
    list[str] | None,
    typer.Option(
        "--mirror",
        metavar="OLD=NEW",
        envvar="IMAGEGEN_MIRRORS",
        help="Ask at addresses that begin with NEW for those that begin with OLD; may be given several times (in the "
        "variable: apart by blanks). Goes before the mirrors of the image in SPEC.",
    ),
]


@contextmanager
def asking(mirror: list[str] | None, image: str, cluster: Cluster, loaded: Assets, form: Format) -> Iterator[Client]:
    """A client for an image, with its mirrors; what did not come ends the program with what to do about it."""
    if any(find_spec(module) is None for module in ("httpx", "debian")):
        stop("this needs what imagegen does not install by itself: pip install 'imagegen[lock]'", form)
    from imagegen.fetching.client import Client  # noqa: PLC0415  slow to import, and an extra
    from imagegen.fetching.failure import FetchError  # noqa: PLC0415  as above
    from imagegen.supply.mirrors import profile_pairs, read_mirrors  # noqa: PLC0415  as above

    try:
        mirrors = read_mirrors(mirror or ())
    except ValueError as error:
        message = f"`{error}` is not OLD=NEW with two addresses, such as https://pkgs.k8s.io=https://mirror.example/k8s"
        raise typer.BadParameter(message, param_hint="--mirror") from error
    profile = loaded.catalog.vendors.mirrors_of(cluster.known_images[image].mirrors)
    client = Client(replace(mirrors, usual=profile_pairs(profile)))
    try:
        yield client
    except FetchError as error:
        fail(str(error))
    finally:
        client.close()


def image_names(cluster: Cluster, image: str | None, form: Format) -> tuple[str, ...]:
    """The images of a spec, or the one that was named."""
    names = tuple(used.metadata.name for used in cluster.used_images)
    if image is not None and image not in names:
        stop(f"there is no image `{image}`; known: {', '.join(names)}", form)
    return (image,) if image else names
