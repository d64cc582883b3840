"""`imagegen render`."""

from __future__ import annotations

from pathlib import Path

import typer

from imagegen.cli.bundles import IdentityOption, SecretsOption, Sought, read_bundle
from imagegen.cli.common import FormatOption, OutOption, SpecOrFolderArgument, load_assets, read_spec
from imagegen.cli.writing import render_into
from imagegen.cli.written import show_written, written_as_data
from imagegen.console import Format, show_json


def render(
    spec: SpecOrFolderArgument,
    out: OutOption = Path("out"),
    secrets: SecretsOption = None,
    identity: IdentityOption = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Write user-data, NoCloud seeds and Packer folders.

    They go into OUT/<cluster>, all or nothing. What is said of each role is its size, and whether it changed. Of a
    FOLDER, every spec below it is rendered, on all processors.
    """
    if spec.is_dir():
        from imagegen.cli.fleet import render_fleet  # noqa: PLC0415  one spec needs none of it

        if secrets is not None:
            raise typer.BadParameter("each spec of a folder has its own bundle beside it", param_hint="--secrets")
        render_fleet(spec, out, Sought(None, identity, form))
        return
    loaded = load_assets()
    cluster = read_spec(spec, loaded, form)
    bundle = read_bundle(spec, cluster, Sought(secrets, identity, form))
    written = render_into(out, cluster, bundle, loaded, form)
    if form is Format.JSON:
        show_json(written_as_data(written))
    else:
        show_written(written)
