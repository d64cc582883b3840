"""`imagegen validate`."""

from __future__ import annotations

import typer

from imagegen.cli.codes import FINDINGS
from imagegen.cli.common import FormatOption, SpecOrFolderArgument, check_spec, load_assets
from imagegen.console import Format, say, show_report


def validate(spec: SpecOrFolderArgument, form: FormatOption = Format.TEXT) -> None:
    """Check a spec: its YAML, its schema, its rules; or each one below a folder."""
    if spec.is_dir():
        from imagegen.cli.fleet import validate_fleet  # noqa: PLC0415  one spec needs none of it

        validate_fleet(spec, form)
        return
    cluster, report = check_spec(spec, load_assets())
    show_report(report, form)
    if cluster is None:
        raise typer.Exit(FINDINGS)
    if form is Format.TEXT:
        say(f"{spec}: cluster `{cluster.metadata.name}` is fine")
