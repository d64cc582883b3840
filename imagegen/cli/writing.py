"""A cluster rendered into its folder, which was empty, or of an earlier render."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from imagegen.cli.common import stop, stop_for
from imagegen.cli.written import Manifest, Written, read_manifest
from imagegen.console import Format
from imagegen.output import write_tree

if TYPE_CHECKING:
    from imagegen.bundle import Bundle
    from imagegen.filetree import FileTree
    from imagegen.pipeline import Assets
    from imagegen.spec import Cluster

_NOTHING: Manifest = {"files": {}, "images": {}}
# What other commands put there, before the first render or after it.
_OURS = {"runbook", "tokens"}


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
    if manifest is None and {entry.name for entry in folder.iterdir()} - _OURS:
        stop(f"{folder}: not a folder that imagegen made (no manifest.json of its own): name another with --out", form)
    return {**_NOTHING, **(manifest or {})}
