"""`imagegen validate`."""

from __future__ import annotations

from imagegen.cli.common import FormatOption, SpecArgument, load_assets, read_spec
from imagegen.console import Format, say


def validate(spec: SpecArgument, form: FormatOption = Format.TEXT) -> None:
    """Check a spec: its YAML, its schema, its rules."""
    cluster = read_spec(spec, load_assets(), form)
    if form is Format.TEXT:
        say(f"{spec}: cluster `{cluster.metadata.name}` is fine")
