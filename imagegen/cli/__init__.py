"""The command line: a file for each command."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from imagegen import __version__
from imagegen.cli.codes import FAILED
from imagegen.cli.lazy import LazyGroup
from imagegen.cli.streams import protect_streams
from imagegen.console import complain

app = typer.Typer(
    cls=LazyGroup,
    help="One cluster spec in; golden images and first-boot data out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # Help in frames takes twice the time, and its lines are cut where they are piped.
    rich_markup_mode=None,
    context_settings={"max_content_width": 100, "help_option_names": ["--help", "-h"]},
    epilog="Exit codes: 0 fine, 1 findings, 2 wrong usage, 3 a file or a tool failed.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"imagegen {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """One cluster spec in; golden images and first-boot data out."""


def main() -> None:
    """Run the program: a file that cannot be read or written is a message, not a traceback."""
    try:
        protect_streams()
        try:
            app(prog_name="imagegen")
        finally:
            sys.stdout.flush()
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        complain(f"imagegen: {where}{error.strerror or error}")
        sys.exit(FAILED)
