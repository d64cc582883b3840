"""`imagegen schema`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from imagegen import assets
from imagegen.reference import render_reference


class Form(StrEnum):
    """How the schema is written."""

    JSON = "json"
    MARKDOWN = "markdown"


def schema(form: Annotated[Form, typer.Option("--format", help="JSON Schema, or a page to read.")] = Form.JSON) -> None:
    """Print the JSON Schema of a spec, or its reference page.

    The schema is for editors and CI, the page for people: it says the same.
    """
    typer.echo(assets.schema_text() if form is Form.JSON else render_reference(assets.schema()), nl=False)
