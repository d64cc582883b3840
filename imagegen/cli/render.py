"""`imagegen render`."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imagegen.cli.common import (
    FINDINGS,
    RefusedError,
    SecretsOption,
    SpecOrFolderArgument,
    load_assets,
    read_bundle,
    read_spec,
)
from imagegen.console import Format, complain, say, show_report, show_table
from imagegen.output import write_tree

if TYPE_CHECKING:
    from imagegen.bundle import Bundle
    from imagegen.pipeline import Assets, Rendering
    from imagegen.spec import Cluster

Manifest = dict[str, Any]
_NOTHING: Manifest = {"files": {}, "images": {}}

OutOption = Annotated[Path, typer.Option("--out", help="Folder that the cluster's folder is written into.")]


def render(spec: SpecOrFolderArgument, out: OutOption = Path("out"), secrets: SecretsOption = None) -> None:
    """Write user-data, NoCloud seeds and Packer folders into OUT/<cluster>; of each spec below a folder."""
    if spec.is_dir():
        from imagegen.cli.fleet import render_fleet  # noqa: PLC0415  one spec needs none of it

        if secrets is not None:
            raise typer.BadParameter("each spec of a folder has its own bundle beside it", param_hint="--secrets")
        render_fleet(spec, out)
        return
    loaded = load_assets()
    cluster = read_spec(spec, loaded)
    render_into(out, cluster, read_bundle(spec, cluster, secrets), loaded)


def render_into(out: Path, cluster: Cluster, bundle: Bundle, loaded: Assets) -> None:
    """Render, write OUT/<cluster>, and say what was written."""
    from imagegen import pipeline  # noqa: PLC0415  the stages are slow to import, and `--help` needs none

    rendering, report = pipeline.render(cluster, bundle, loaded)
    if rendering is None:
        show_report(report, Format.TEXT)
        raise typer.Exit(FINDINGS)
    folder = out / cluster.metadata.name
    try:
        before = manifest_before(folder)
    except RefusedError as error:
        complain(str(error))
        raise typer.Exit(FINDINGS) from None
    write_tree(rendering.tree, folder, frozenset(before["files"]))
    _show_sizes(rendering, before)
    for name, fingerprint in rendering.fingerprints.items():
        old = before["images"].get(name, {}).get("fingerprint", fingerprint)
        rebake = f", was {old[:12]}: bake anew" if old != fingerprint else ""
        say(f"image {name}: fingerprint {fingerprint[:12]}{rebake}")
    say(f"wrote {len(rendering.tree)} files to {folder}/; its README.md says what to do with them")


def _show_sizes(rendering: Rendering, before: Manifest) -> None:
    rows = [
        (
            artifact.role,
            f"{len(artifact.payload):,}",
            f"{artifact.limit:,}" if artifact.limit else "none",
            f"{len(artifact.payload) / artifact.limit:.0%}" if artifact.limit else "-",
            f"{artifact.heaviest[0][0]} ({artifact.heaviest[0][1]:,})",
            _since(f"user-data/{artifact.role}.yaml", artifact.plain, before),
        )
        for artifact in rendering.artifacts
    ]
    titles = ("role", "bytes", "limit", "share", "heaviest file", "since the last render")
    show_table(titles, rows, right=("bytes", "limit", "share"))


def _since(path: str, content: bytes, before: Manifest) -> str:
    if path not in before["files"]:
        return "new"
    return "the same" if before["files"][path]["sha256"] == sha256(content).hexdigest() else "changed"


def manifest_before(folder: Path) -> Manifest:
    """What an earlier render left there; `RefusedError` for a folder that is not imagegen's."""
    if not folder.exists():
        return _NOTHING
    try:
        manifest: Manifest = json.loads((folder / "manifest.json").read_text())
        frozenset(manifest["files"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        if not any(folder.iterdir()):
            return _NOTHING
        raise RefusedError(
            f"{folder}: not a folder that imagegen made (no manifest.json of its own): name another with --out"
        ) from None
    return {**_NOTHING, **manifest}
