"""What several commands share: their arguments, the assets, reading a spec."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imagegen import __version__, assets
from imagegen.console import Format, complain, show_report

if TYPE_CHECKING:
    from imagegen.pipeline import Assets
    from imagegen.spec import Cluster

FINDINGS = 1
FAILED = 3

SpecArgument = Annotated[
    Path, typer.Argument(metavar="SPEC", exists=True, dir_okay=False, help="The cluster's YAML file.")
]
FormatOption = Annotated[Format, typer.Option("--format", help="How findings are written.")]


def load_assets() -> Assets:
    """Schema, templates, Packer folder and catalog."""
    from imagegen.pipeline import Assets  # noqa: PLC0415  the stages are slow to import, and `--help` needs none

    return Assets(
        schema=assets.schema(),
        catalog=assets.catalog(),
        templates=assets.templates(),
        packer=assets.packer_folder(),
        version=__version__,
    )


def read_spec(path: Path, loaded: Assets, form: Format = Format.TEXT) -> Cluster:
    """The checked spec; shows the findings, and ends the program if there are errors."""
    from imagegen.pipeline import check  # noqa: PLC0415  as above

    cluster, report = check(
        decoded(path.read_bytes(), path), str(path), loaded, lambda name: Path(name).read_text(encoding="utf-8")
    )
    show_report(report, form)
    if cluster is None:
        raise typer.Exit(FINDINGS)
    return cluster


def decoded(data: bytes, path: Path) -> str:
    """The text in a file's bytes; ends the program where they are none."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        complain(f"{path}: not UTF-8 text (byte {error.start})")
        raise typer.Exit(FINDINGS) from None
    # Every system's line ends, as reading a file as text has them.
    return StringIO(text, newline=None).read()


def now() -> datetime:
    """The one clock of the program, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)
