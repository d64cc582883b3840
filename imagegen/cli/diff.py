"""`imagegen diff`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imagegen.cli.bundles import IdentityOption, SecretsOption, read_bundle
from imagegen.cli.common import FINDINGS, load_assets, read_spec
from imagegen.cli.render import OutOption
from imagegen.console import Format, complain, say, show_report

if TYPE_CHECKING:
    from imagegen.comparison import Change, Comparison


def diff(
    first: Annotated[Path, typer.Argument(metavar="SPEC|FOLDER", exists=True, help="A spec, or an older folder.")],
    second: Annotated[Path | None, typer.Argument(metavar="[FOLDER]", exists=True, help="The newer folder.")] = None,
    out: OutOption = Path("out"),
    secrets: SecretsOption = None,
    identity: IdentityOption = None,
    form: Annotated[Format, typer.Option("--format", help="How it is written.")] = Format.TEXT,
) -> None:
    """Say what a render would change (SPEC), or what differs between two (FOLDER FOLDER); exit code 1 if anything."""
    from imagegen.comparison import compare  # noqa: PLC0415  slow to import

    if second is not None:
        old, new = _read(first), _read(second)
    else:
        old, new = _rendered(first, out, secrets, identity)
    comparison = compare(old, new)
    if form is Format.JSON:
        say(json.dumps(_as_data(comparison), indent=2))
    else:
        _show(comparison)
    if comparison.images or comparison.user_data:
        raise typer.Exit(FINDINGS)


def _rendered(
    spec: Path, out: Path, secrets: Path | None, identity: Path | None
) -> tuple[dict[str, bytes], dict[str, bytes]]:
    from imagegen import pipeline  # noqa: PLC0415  the stages are slow to import

    loaded = load_assets()
    cluster = read_spec(spec, loaded)
    folder = out / cluster.metadata.name
    if not folder.is_dir():
        complain(f"{folder}: nothing was rendered there yet")
        raise typer.Exit(FINDINGS)
    rendering, report = pipeline.render(cluster, read_bundle(spec, cluster, secrets, identity), loaded)
    if rendering is None:
        show_report(report, Format.TEXT)
        raise typer.Exit(FINDINGS)
    return _read(folder), {path: file.content for path, file in rendering.tree}


def _read(folder: Path) -> dict[str, bytes]:
    """The files of an output folder that a render wrote: what lies beside them is not compared."""
    try:
        names = json.loads((folder / "manifest.json").read_text())["files"]
    except (OSError, ValueError, KeyError, TypeError):
        complain(f"{folder}: not a folder that imagegen made (no manifest.json of its own)")
        raise typer.Exit(FINDINGS) from None
    names = (*names, "manifest.json")
    return {name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}


def _as_data(comparison: Comparison) -> dict[str, Any]:
    def data(changes: tuple[Change, ...]) -> list[dict[str, Any]]:
        return [{"scope": change.scope, "path": change.path, "diff": list(change.lines)} for change in changes]

    return {
        "verdict": comparison.verdict,
        "images": data(comparison.images),
        "userData": data(comparison.user_data),
    }


def _show(comparison: Comparison) -> None:
    for kind, changes in (("image", comparison.images), ("user-data", comparison.user_data)):
        for change in changes:
            say(f"{kind} {change.scope}: {change.path}")
            for line in change.lines:
                say(f"    {line}")
    say(f"It means {comparison.verdict}.")
