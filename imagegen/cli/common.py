"""What several commands share: their arguments, the assets, reading a spec and its bundle."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imagegen import __version__, assets
from imagegen.console import Format, complain, show_report
from imagegen.external import is_tracked_by_git
from imagegen.output import is_private

if TYPE_CHECKING:
    from imagegen.bundle import Bundle
    from imagegen.diagnostics import Report
    from imagegen.pipeline import Assets
    from imagegen.spec import Cluster

FINDINGS = 1
FAILED = 3

SpecArgument = Annotated[
    Path, typer.Argument(metavar="SPEC", exists=True, dir_okay=False, help="The cluster's YAML file.")
]
SpecOrFolderArgument = Annotated[
    Path,
    typer.Argument(metavar="SPEC|FOLDER", exists=True, help="The cluster's YAML file, or a folder with many of them."),
]
SecretsOption = Annotated[
    Path | None,
    typer.Option("--secrets", help="The secrets bundle; default: <cluster>.secrets.yaml beside the spec."),
]
FormatOption = Annotated[Format, typer.Option("--format", help="How findings are written.")]


class RefusedError(Exception):
    """What a person must put right first, in their words: no finding about a spec."""


@cache
def load_assets() -> Assets:
    """Schema, templates, Packer folder and catalog."""
    from imagegen.pipeline import Assets  # noqa: PLC0415  the stages are slow to import, and `--help` needs none

    return Assets(
        schema=assets.schema(),
        catalog=assets.catalog(),
        templates=assets.templates(),
        packer=assets.packer_folder(),
        version=__version__,
    )


def read_spec(path: Path, loaded: Assets, form: Format = Format.TEXT) -> Cluster:
    """The checked spec; shows the findings, and ends the program if there are errors."""
    try:
        cluster, report = check_spec(path, loaded)
    except RefusedError as error:
        complain(str(error))
        raise typer.Exit(FINDINGS) from None
    show_report(report, form)
    if cluster is None:
        raise typer.Exit(FINDINGS)
    return cluster


def check_spec(path: Path, loaded: Assets) -> tuple[Cluster | None, Report]:
    """The spec, if it has no errors, and the findings."""
    from imagegen.pipeline import check  # noqa: PLC0415  as above

    return check(read_text(path), str(path), loaded, lambda name: Path(name).read_text(encoding="utf-8"))


def secrets_path(spec: Path, cluster: Cluster, given: Path | None) -> Path:
    """Where the bundle lies."""
    return given or spec.parent / f"{cluster.metadata.name}.secrets.yaml"


def read_bundle(spec: Path, cluster: Cluster, given: Path | None, *, every_pool: bool = True) -> Bundle:
    """The checked bundle; says how to make one where there is none."""
    try:
        bundle, report = find_bundle(spec, cluster, given, every_pool=every_pool)
    except RefusedError as error:
        complain(str(error))
        raise typer.Exit(FINDINGS) from None
    if report.diagnostics:
        show_report(report, Format.TEXT)
    if bundle is None:
        raise typer.Exit(FINDINGS)
    return bundle


def find_bundle(
    spec: Path,
    cluster: Cluster,
    given: Path | None = None,
    *,
    every_pool: bool = True,
    is_tracked: Callable[[Path], bool] = is_tracked_by_git,
) -> tuple[Bundle | None, Report]:
    """The bundle, if it has no errors, and the findings; `RefusedError` where others may know it, or there is none."""
    from imagegen.pipeline import check_bundle  # noqa: PLC0415  as above

    path = secrets_path(spec, cluster, given)
    if not path.exists():
        way = f"`imagegen secrets new {spec}` makes one, once for the cluster's life"
        raise RefusedError(f"{path}: there is no secrets bundle: {way}")
    if not is_private(path):
        raise RefusedError(
            f"{path}: others may read the secrets bundle: `chmod 600 {path}`, and think of its secrets as known"
        )
    if is_tracked(path):
        raise RefusedError(
            f"{path}: git tracks the secrets bundle: `git rm --cached {path}`, and think of its secrets as known"
        )
    return check_bundle(cluster, read_text(path), str(path), now(), every_pool=every_pool)


def read_text(path: Path) -> str:
    """The text of a file; `RefusedError` where it is none."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise RefusedError(f"{path}: not UTF-8 text (byte {error.start})") from None


def now() -> datetime:
    """The one clock of the program, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)
