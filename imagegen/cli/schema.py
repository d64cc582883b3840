"""`imagegen schema`."""

from __future__ import annotations

import typer

from imagegen import assets


def schema() -> None:
    """Print the JSON Schema of a spec, for editors and CI."""
    typer.echo(assets.schema_text(), nl=False)
