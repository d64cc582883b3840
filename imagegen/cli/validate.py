"""`imagegen validate`."""

from __future__ import annotations

from imagegen.cli.common import FormatOption, SpecOrFolderArgument, load_assets, read_spec
from imagegen.console import Format, say


def validate(spec: SpecOrFolderArgument, form: FormatOption = Format.TEXT) -> None:
    """Check a spec: its YAML, its schema, its rules; or each one below a folder."""
    if spec.is_dir():
        from imagegen.cli.fleet import validate_fleet  # noqa: PLC0415  one spec needs none of it

        validate_fleet(spec, form)
        return
    cluster = read_spec(spec, load_assets(), form)
    if form is Format.TEXT:
        say(f"{spec}: cluster `{cluster.metadata.name}` is fine")
