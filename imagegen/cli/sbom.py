"""`imagegen sbom`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imagegen import __version__, assets
from imagegen.cli.common import FormatOption, fail, stop
from imagegen.console import Format, say, show_json
from imagegen.output import write_public

if TYPE_CHECKING:
    from imagegen.inventory import Inventory

FILE = "inventory.json"
MAX_BYTES = 64 * 2**20
"""An inventory of some hundred thousand packages."""


def sbom(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER",
            exists=True,
            file_okay=False,
            help="Folder that an image was baked in, with the inventory.json of that bake.",
        ),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write; default: <image>.cdx.json in FOLDER.")
    ] = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Make the bill of materials of a baked image.

    It is CycloneDX 1.6 as JSON, made from what the bake found on the machine: every package, program and container
    image, with versions, hashes and package URLs. `imagegen bake` does this by itself; here it is for other bakes.
    """
    if not (folder / FILE).exists():
        stop(f"{folder / FILE} does not exist: the bake writes it when every check has passed", form)
    inventory = read_beside(folder)
    path = write_sbom(folder, inventory, out)
    counts = {
        "packages": len(inventory.packages),
        "programs": len(inventory.binaries),
        "container images": len(inventory.images),
    }
    if form is Format.JSON:
        named = {"path": str(path), "image": inventory.image, "fingerprint": inventory.fingerprint}
        show_json(named | {what.replace(" i", "I"): count for what, count in counts.items()})
    else:
        say(f"wrote {path}: {', '.join(f'{count} {what}' for what, count in counts.items())}")


def write_sbom(folder: Path, inventory: Inventory | None = None, out: Path | None = None) -> Path:
    """Write the bill of materials of what was baked in a folder, and give its path."""
    from imagegen.sbom import bill_of_materials  # noqa: PLC0415  cyclonedx is slow to import

    inventory = inventory or read_beside(folder)
    path = out or folder / f"{inventory.image}.cdx.json"
    write_public(path, bill_of_materials(inventory, assets.catalog().programs, __version__))
    return path


def read_beside(folder: Path) -> Inventory:
    """The inventory of what was baked in a folder; ends the program where it cannot be read."""
    from imagegen.inventory import NoInventoryError, read_inventory  # noqa: PLC0415  `--help` needs none of it

    path = folder / FILE
    try:
        with path.open("rb") as stream:
            return read_inventory(json.loads(stream.read(MAX_BYTES)))
    except (ValueError, RecursionError, NoInventoryError):
        fail(f"{path}: no inventory that this imagegen reads")
