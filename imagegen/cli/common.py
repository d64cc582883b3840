"""What several commands share: their arguments, the assets, reading a spec."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from imagegen import __version__, assets
from imagegen.cli.codes import FAILED, FINDINGS
from imagegen.console import Format, complain, report_as_data, show_json, show_report
from imagegen.diagnostics import Diagnostic, Position, Report

if TYPE_CHECKING:
    from imagegen.pipeline import Assets
    from imagegen.spec import Cluster

SpecArgument = Annotated[
    Path,
    typer.Argument(metavar="SPEC", exists=True, dir_okay=False, readable=False, help="The cluster's YAML file."),
]
OutOption = Annotated[Path, typer.Option("--out", help="Folder that the cluster's folder is written into.")]
SpecOrFolderArgument = Annotated[
    Path,
    typer.Argument(
        metavar="SPEC|FOLDER",
        exists=True,
        readable=False,
        help="The cluster's YAML file, or a folder with many of them.",
    ),
]
FormatOption = Annotated[Format, typer.Option("--format", help="For a person, or for a program.")]


@cache
def load_assets() -> Assets:
    """Schema, templates, Packer folder and catalog."""
    from imagegen.pipeline import Assets  # noqa: PLC0415  the stages are slow to import, and `--help` needs none

    return Assets(
        schema=assets.schema(),
        lock_schema=assets.schema("lock-v1alpha1"),
        catalog=assets.catalog(),
        templates=assets.templates(),
        packer=assets.packer_folder(),
        stock=assets.stock_folder(),
        version=__version__,
    )


def stop(message: str, form: Format = Format.TEXT) -> NoReturn:
    """End the program for a reason that the user can mend."""
    complain(message)
    _end([{"severity": "error", "code": None, "message": message}], form)


def fail(message: str) -> NoReturn:
    """End the program for what a file or a tool did not do."""
    complain(message)
    raise typer.Exit(FAILED)


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
        return check(read_text(path), str(path), loaded, lambda name: read_text(Path(name)))
    except UnicodeDecodeError as error:
        return None, not_text(path, error)


def read_spec(path: Path, loaded: Assets, form: Format = Format.TEXT) -> Cluster:
    """The checked spec; shows the findings, and ends the program if there are errors."""
    cluster, report = check_spec(path, loaded)
    if cluster is None:
        stop_for(report, form)
    show_report(report)
    return cluster


def read_spec_alone(path: Path, loaded: Assets, form: Format = Format.TEXT) -> Cluster:
    """The checked spec without the locks beside it: for what makes them anew."""
    from imagegen.lock import SUFFIX  # noqa: PLC0415  as above
    from imagegen.pipeline import check  # noqa: PLC0415

    def read(name: str) -> str:
        if name.endswith(SUFFIX):
            raise FileNotFoundError(name)
        return read_text(Path(name))

    try:
        cluster, report = check(read_text(path), str(path), loaded, read)
    except UnicodeDecodeError as error:
        cluster, report = None, not_text(path, error)
    if cluster is None:
        stop_for(report, form)
    show_report(report)
    return cluster


def read_limited(path: Path) -> bytes:
    """A file's bytes, and of a longer one than a document may be as much as shows that."""
    from imagegen.document import MAX_BYTES  # noqa: PLC0415  as above

    with path.open("rb") as stream:
        # One byte more than a document may have: enough to refuse /dev/zero.
        return stream.read(MAX_BYTES + 1)


def read_text(path: Path) -> str:
    """A file as text; `UnicodeDecodeError` where it is none."""
    return decoded(read_limited(path))


def text_of(path: Path) -> str:
    """The same; ends the program where the file is no text."""
    try:
        return read_text(path)
    except UnicodeDecodeError as error:
        stop_for(not_text(path, error))


def decoded(data: bytes) -> str:
    """The text in these bytes, with every system's line ends as reading a file as text has them."""
    return StringIO(data.decode(), newline=None).read()


def not_text(path: Path, error: UnicodeDecodeError) -> Report:
    """What is said of a file that is no text."""
    position = Position(file=str(path), line=error.object[: error.start].count(b"\n") + 1, column=1)
    message = f"not YAML: byte {error.start + 1} is not UTF-8"
    return Report(diagnostics=(Diagnostic(code="IG001", message=message, hint="save it as UTF-8", position=position),))


def now() -> datetime:
    """The one clock of the program, in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)
