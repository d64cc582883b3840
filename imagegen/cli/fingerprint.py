"""`imagegen fingerprint`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from imagegen.cli.common import SpecArgument, load_assets, read_spec
from imagegen.console import Format, say


def fingerprint(
    spec: SpecArgument,
    form: Annotated[Format, typer.Option("--format", help="How it is written.")] = Format.TEXT,
) -> None:
    """Print the fingerprint of each image: a hash of all that decides what is in it, and of nothing else."""
    from imagegen.pipeline import describe_images  # noqa: PLC0415  the stages are slow to import

    loaded = load_assets()
    images = describe_images(read_spec(spec, loaded), loaded)
    if form is Format.JSON:
        data = {name: {"fingerprint": image.fingerprint, "contents": image.contents} for name, image in images.items()}
        say(json.dumps(data, indent=2))
        return
    for name, image in images.items():
        say(f"{image.fingerprint}  {name}")
