"""`imagegen render`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imagegen.cli.common import (
    FINDINGS,
    SecretsOption,
    SpecArgument,
    load_assets,
    read_bundle,
    read_spec,
)
from imagegen.console import Format, complain, say, show_report, show_table
from imagegen.output import write_tree

if TYPE_CHECKING:
    from imagegen.bundle import Bundle
    from imagegen.pipeline import Assets
    from imagegen.spec import Cluster
    from imagegen.userdata import Artifact

OutOption = Annotated[Path, typer.Option("--out", help="Folder that the cluster's folder is written into.")]


def render(spec: SpecArgument, out: OutOption = Path("out"), secrets: SecretsOption = None) -> None:
    """Write user-data, NoCloud seeds and Packer folders into OUT/<cluster>."""
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
    write_tree(rendering.tree, folder, _emitted_before(folder))
    _show_sizes(rendering.artifacts)
    say(f"image {rendering.plan.image.name}: fingerprint {rendering.fingerprint[:12]}")
    say(f"wrote {len(rendering.tree)} files to {folder}/; its README.md says what to do with them")


def _show_sizes(artifacts: tuple[Artifact, ...]) -> None:
    rows = [
        (
            artifact.role,
            f"{len(artifact.payload):,}",
            f"{artifact.limit:,}" if artifact.limit else "none",
            f"{len(artifact.payload) / artifact.limit:.0%}" if artifact.limit else "-",
            f"{artifact.heaviest[0][0]} ({artifact.heaviest[0][1]:,})",
        )
        for artifact in artifacts
    ]
    show_table(("role", "bytes", "limit", "share", "heaviest file"), rows, right=("bytes", "limit", "share"))


def _emitted_before(folder: Path) -> frozenset[str]:
    """The files that an earlier render wrote there; refuses a folder that is not imagegen's."""
    manifest = folder / "manifest.json"
    if not folder.exists():
        return frozenset()
    try:
        return frozenset(json.loads(manifest.read_text())["files"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        if not any(folder.iterdir()):
            return frozenset()
        complain(f"{folder}: not a folder that imagegen made (no manifest.json of its own): name another with --out")
        raise typer.Exit(FINDINGS) from None
