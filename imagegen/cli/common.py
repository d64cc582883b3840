"""What several commands share: their arguments, the assets, reading a spec and its bundle."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from imagegen import __version__, assets
from imagegen.console import Format, complain, report_as_data, show_json, show_report
from imagegen.diagnostics import Diagnostic, Position, Report
from imagegen.external import is_tracked_by_git
from imagegen.output import is_private

if TYPE_CHECKING:
    from imagegen.bundle import Bundle
    from imagegen.pipeline import Assets
    from imagegen.spec import Cluster

FINDINGS = 1
FAILED = 3

SpecArgument = Annotated[
    Path,
    typer.Argument(metavar="SPEC", exists=True, dir_okay=False, readable=False, help="The cluster's YAML file."),
]
SecretsOption = Annotated[
    Path | None,
    typer.Option("--secrets", help="The secrets bundle; default: <cluster>.secrets.yaml beside the spec."),
]
FormatOption = Annotated[Format, typer.Option("--format", help="For a person, or for a program.")]


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


def stop(message: str, form: Format = Format.TEXT) -> NoReturn:
    """End the program for a reason that the user can mend."""
    complain(message)
    _end([{"severity": "error", "code": None, "message": message}], form)


def stop_for(report: Report, form: Format = Format.TEXT) -> NoReturn:
    """End the program for its findings."""
    show_report(report)
    _end(report_as_data(report), form)


def _end(findings: list[dict[str, Any]], form: Format) -> NoReturn:
    # Whoever reads JSON gets a document, also where there is no result.
    if form is Format.JSON:
        show_json({"findings": findings})
    raise typer.Exit(FINDINGS)


def check_spec(path: Path, loaded: Assets) -> tuple[Cluster | None, Report]:
    """The spec, if it has no errors, and its findings."""
    from imagegen.pipeline import check  # noqa: PLC0415  as above

    try:
        return check(_read(path), str(path), loaded, lambda name: _read(Path(name)))
    except UnicodeDecodeError as error:
        return None, _not_text(path, error)


def read_spec(path: Path, loaded: Assets, form: Format = Format.TEXT) -> Cluster:
    """The checked spec; shows the findings, and ends the program if there are errors."""
    cluster, report = check_spec(path, loaded)
    if cluster is None:
        stop_for(report, form)
    show_report(report)
    return cluster


def secrets_path(spec: Path, cluster: Cluster, given: Path | None) -> Path:
    """Where the bundle lies."""
    return given or spec.parent / f"{cluster.metadata.name}.secrets.yaml"


def read_bundle(
    spec: Path, cluster: Cluster, given: Path | None, *, every_pool: bool = True, form: Format = Format.TEXT
) -> Bundle:
    """The checked bundle; says how to make one where there is none."""
    from imagegen.pipeline import check_bundle  # noqa: PLC0415  as above

    path = secrets_path(spec, cluster, given)
    _require_private(path, spec, form)
    try:
        bundle, report = check_bundle(cluster, _read(path), str(path), now(), every_pool=every_pool)
    except UnicodeDecodeError as error:
        bundle, report = None, _not_text(path, error)
    if bundle is None:
        stop_for(report, form)
    show_report(report)
    return bundle


def _require_private(path: Path, spec: Path, form: Format) -> None:
    if not path.exists():
        stop(
            f"{path}: there is no secrets bundle: `imagegen secrets new {spec}` makes one, once for the cluster's life",
            form,
        )
    # A pipe may be one: what decrypts a bundle need not put it on the disk.
    if not (path.is_file() or path.is_fifo()):
        stop(f"{path}: no secrets bundle: neither a file nor a pipe", form)
    if not is_private(path):
        stop(f"{path}: others may read the secrets bundle: `chmod 600 {path}`, and think of its secrets as known", form)
    if is_tracked_by_git(path):
        stop(
            f"{path}: git tracks the secrets bundle: `git rm --cached {path}`, and think of its secrets as known", form
        )


def _read(path: Path) -> str:
    from imagegen.document import MAX_BYTES  # noqa: PLC0415  as above

    with path.open("rb") as stream:
        # One byte more than a document may have: enough to refuse /dev/zero.
        return stream.read(MAX_BYTES + 1).decode()


def _not_text(path: Path, error: UnicodeDecodeError) -> Report:
    position = Position(file=str(path), line=error.object[: error.start].count(b"\n") + 1, column=1)
    message = f"not YAML: byte {error.start + 1} is not UTF-8"
    return Report(diagnostics=(Diagnostic(code="IG001", message=message, hint="save it as UTF-8", position=position),))


def now() -> datetime:
    """The one clock of the program, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)
