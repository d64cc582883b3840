"""`imagegen render`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imagegen.cli.bundles import IdentityOption, SecretsOption, Sought, read_bundle
from imagegen.cli.common import FormatOption, SpecOrFolderArgument, load_assets, read_spec, stop, stop_for
from imagegen.cli.written import Manifest, Written, read_manifest, show_written, written_as_data
from imagegen.console import Format, show_json
from imagegen.output import write_tree

if TYPE_CHECKING:
    from imagegen.bundle import Bundle
    from imagegen.filetree import FileTree
    from imagegen.pipeline import Assets
    from imagegen.spec import Cluster

_NOTHING: Manifest = {"files": {}, "images": {}}

OutOption = Annotated[Path, typer.Option("--out", help="Folder that the cluster's folder is written into.")]


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


def render_into(
    out: Path,
    cluster: Cluster,
    bundle: Bundle,
    loaded: Assets,
    form: Format,
    write: Callable[[FileTree, Path, frozenset[str]], None] = write_tree,
) -> Written:
    """Render, and write OUT/<cluster>."""
    from imagegen import pipeline  # noqa: PLC0415  the stages are slow to import, and `--help` needs none

    rendering, report = pipeline.render(cluster, bundle, loaded)
    if rendering is None:
        stop_for(report, form)
    folder = out / cluster.metadata.name
    before = _manifest_before(folder, form)
    write(rendering.tree, folder, frozenset(before["files"]))
    return Written(folder=folder, rendering=rendering, before=before)


def _manifest_before(folder: Path, form: Format) -> Manifest:
    """What an earlier render left there; refuses a folder that is not imagegen's."""
    if not folder.exists():
        return _NOTHING
    manifest = read_manifest(folder)
    if manifest is None and any(folder.iterdir()):
        stop(f"{folder}: not a folder that imagegen made (no manifest.json of its own): name another with --out", form)
    return {**_NOTHING, **(manifest or {})}
