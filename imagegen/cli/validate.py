"""`imagegen validate`."""

from __future__ import annotations

import typer

from imagegen.cli.common import FINDINGS, FormatOption, SpecArgument, check_spec, load_assets
from imagegen.console import Format, say, show_report


def validate(spec: SpecArgument, form: FormatOption = Format.TEXT) -> None:
    """Check a spec: its YAML, its schema, its rules."""
    cluster, report = check_spec(spec, load_assets())
    show_report(report, form)
    if cluster is None:
        raise typer.Exit(FINDINGS)
    if form is Format.TEXT:
        say(f"{spec}: cluster `{cluster.metadata.name}` is fine")
