"""The command line: a file for each command."""

from __future__ import annotations

import gc
import sys
from typing import Annotated

import typer

from imagegen import __version__
from imagegen.cli import diff, explain, init, inspect, kubeconfig, render, schema, secrets, token, validate
from imagegen.cli.common import FAILED

app = typer.Typer(
    help="One cluster spec in; golden images and first-boot data out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    epilog="Exit codes: 0 fine, 1 findings, 2 wrong usage, 3 a file or a tool failed.",
)
app.command()(init.init)
app.command()(validate.validate)
app.command()(render.render)
app.command()(diff.diff)
app.command()(explain.explain)
app.command()(kubeconfig.kubeconfig)
app.command()(inspect.inspect)
app.command()(schema.schema)
app.add_typer(secrets.app, name="secrets")
app.add_typer(token.app, name="token")


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
    # A run is over before there is garbage worth a search; what goes on for longer (`workers`) turns it on again.
    gc.disable()
    try:
        app()
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        typer.echo(f"imagegen: {where}{error.strerror or error}", err=True)
        sys.exit(FAILED)
