"""`imagegen fingerprint`."""

from __future__ import annotations

from imagegen.cli.common import FormatOption, SpecArgument, load_assets, read_spec
from imagegen.console import Format, say, show_json


def fingerprint(spec: SpecArgument, form: FormatOption = Format.TEXT) -> None:
    """Print the fingerprint of each image.

    It is a hash of all that decides what is in the image, and of nothing else: no label, no token. It needs no secrets.
    """
    from imagegen.pipeline import describe_images  # noqa: PLC0415  the stages are slow to import

    loaded = load_assets()
    images = describe_images(read_spec(spec, loaded, form), loaded)
    if form is Format.JSON:
        show_json(
            {name: {"fingerprint": image.fingerprint, "contents": image.contents} for name, image in images.items()}
        )
        return
    for name, image in images.items():
        say(f"{image.fingerprint}  {name}")
