"""`imagegen diff`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imagegen.cli.bundles import IdentityOption, SecretsOption, Sought, read_bundle
from imagegen.cli.codes import FINDINGS
from imagegen.cli.common import FormatOption, OutOption, load_assets, read_spec, stop, stop_for
from imagegen.cli.written import MANIFEST, read_manifest
from imagegen.console import Format, say, show_json

if TYPE_CHECKING:
    from imagegen.comparison import Change, Comparison


def diff(
    first: Annotated[Path, typer.Argument(metavar="SPEC|FOLDER", exists=True, help="A spec, or an older folder.")],
    second: Annotated[Path | None, typer.Argument(metavar="FOLDER", exists=True, help="The newer folder.")] = None,
    out: OutOption = Path("out"),
    secrets: SecretsOption = None,
    identity: IdentityOption = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Say what a render would change, or what differs between two.

    Compares what a SPEC gives with its folder in OUT, or one FOLDER that was rendered with another. Exit code 1 if an
    image or user-data differs.
    """
    from imagegen.comparison import compare  # noqa: PLC0415  slow to import

    if second is not None:
        old, new = _read(first, form), _read(second, form)
    elif first.is_dir():
        raise typer.BadParameter(f"`{first}` is a folder: name the newer one too, or a spec")
    else:
        old, new = _rendered(first, out, Sought(secrets, identity, form))
    comparison = compare(old, new)
    if form is Format.JSON:
        show_json(_as_data(comparison))
    else:
        _show(comparison)
    if comparison.images or comparison.user_data:
        raise typer.Exit(FINDINGS)


def _rendered(spec: Path, out: Path, sought: Sought) -> tuple[dict[str, bytes], dict[str, bytes]]:
    from imagegen import pipeline  # noqa: PLC0415  the stages are slow to import

    loaded, form = load_assets(), sought.form
    cluster = read_spec(spec, loaded, form)
    folder = out / cluster.metadata.name
    if not folder.is_dir():
        stop(f"{folder}: nothing was rendered there yet: `imagegen render {spec}`", form)
    rendering, report = pipeline.render(cluster, read_bundle(spec, cluster, sought), loaded)
    if rendering is None:
        stop_for(report, form)
    return _read(folder, form), {path: file.content for path, file in rendering.tree}


def _read(folder: Path, form: Format) -> dict[str, bytes]:
    """The files of an output folder that a render wrote: what lies beside them is not compared."""
    manifest = read_manifest(folder)
    if manifest is None:
        stop(f"{folder}: not a folder that imagegen made (no manifest.json of its own)", form)
    names = (*manifest["files"], MANIFEST)
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
