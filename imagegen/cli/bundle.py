"""`imagegen bundle`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imagegen.cli.common import FormatOption, SpecArgument, load_assets, read_spec, stop
from imagegen.cli.completion import complete_images
from imagegen.cli.net import MirrorOption, asking, image_names
from imagegen.console import Format, say, show_json

if TYPE_CHECKING:
    from imagegen.fetching.bundling import Bundling
    from imagegen.fetching.client import Client
    from imagegen.lock import LockedFile, LockedImage
    from imagegen.pipeline import Assets
    from imagegen.spec import Cluster


def bundle(
    spec: SpecArgument,
    out: Annotated[
        Path,
        typer.Option(
            "--out", help="Folder of the bundle; where SPEC has several images, each gets a folder of its name in it."
        ),
    ],
    image: Annotated[
        str | None,
        typer.Option(
            "--image", help="The bundle of this image alone, in the folder itself.", autocompletion=complete_images
        ),
    ] = None,
    mirror: MirrorOption = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Download all that an image is locked to into one folder, from which it is baked without a network.

    Each file is compared with <image>.lock.yaml before it gets its name. What is there already is kept: a run that was
    interrupted goes on where it ended.
    """
    loaded = load_assets()
    cluster = read_spec(spec, loaded, form)
    names = image_names(cluster, image, form)
    for name in names:
        if name not in cluster.locks:
            stop(f"image {name} has no lock: run `imagegen lock {spec}` first", form)
    made = []
    for name in names:
        with asking(mirror, name, cluster, loaded, form) as client:
            made.append(_bundle(cluster, loaded, name, (out if len(names) == 1 else out / name, client, form)))
    if form is Format.JSON:
        show_json({"images": made})
        return
    for one in made:
        say(
            f"image {one['name']}: {one['files']} files in {one['folder']}/, {one['fetched']} of them fetched now; "
            f"bundle.json has sha256 {one['sha256']}"
        )


def _bundle(cluster: Cluster, loaded: Assets, name: str, where: tuple[Path, Client, Format]) -> dict[str, Any]:
    from imagegen.fetching.bundling import Bundling, foreign_files, missing  # noqa: PLC0415  slow, and an extra
    from imagegen.lock import bundle_digest  # noqa: PLC0415

    folder, client, form = where
    lock, architecture = cluster.locks[name], cluster.known_images[name].architecture
    bundling = Bundling(
        client=client,
        lock=lock,
        architecture=architecture,
        folder=folder,
        docker_hub=loaded.catalog.vendors.images.docker_hub,
    )
    if strange := foreign_files(bundling):
        more = f" and {len(strange) - 1} more" if len(strange) > 1 else ""
        stop(f"{folder}: {strange[0]}{more} belongs to no bundle: name another folder with --out", form)
    wanted = missing(bundling)
    _fetch(bundling, wanted)
    provision = lock.provision(architecture)
    return {
        "name": name,
        "folder": str(folder),
        "sha256": bundle_digest(lock, architecture),
        "files": len(provision.files) + len(provision.images),
        "fetched": len(wanted),
    }


def _fetch(bundling: Bundling, wanted: Sequence[LockedFile | LockedImage]) -> None:
    from imagegen.fetching.bundling import make_bundle, transferred  # noqa: PLC0415  as above
    from imagegen.live import Transfer  # noqa: PLC0415

    with Transfer(transferred(wanted)) as shown:
        make_bundle(replace(bundling, hear=shown.hear, said=shown.say), wanted)
