"""`imagegen inspect`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imagegen.cli.common import FormatOption, stop
from imagegen.console import Format, say, show_json, show_table
from imagegen.output import write_tree

if TYPE_CHECKING:
    from imagegen.inspection import Inspection, WrittenFile

FileArgument = Annotated[str, typer.Argument(metavar="FILE", help="The artifact; `-` for standard input.")]
ShowOption = Annotated[str | None, typer.Option("--show", metavar="PATH", help="Print one of its files instead.")]
OutOption = Annotated[Path | None, typer.Option("--out", help="Write all of its files below this new folder.")]


def inspect(
    file: FileArgument,
    show: ShowOption = None,
    out: OutOption = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Decode user-data in any form (base64, gzip, MIME).

    Lists the files that cloud-init would write; their contents are shown only on request, for they may be secret.
    """
    from imagegen.inspection import MAX_BYTES, UndecodableError, inspect_artifact  # noqa: PLC0415  slow to import

    data = _read(file, MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        stop(f"{file}: no user-data: more than {MAX_BYTES:,} bytes", form)
    try:
        inspection = inspect_artifact(data)
    except UndecodableError as error:
        stop(f"{file}: no user-data: {error}", form)
    if show is not None:
        _print_file(_found(inspection, show, form), form)
        return
    if out is not None:
        _write(inspection, out, form)
    if form is Format.JSON:
        show_json(_as_data(inspection))
    elif out is None:
        _list(inspection)


def _read(file: str, most: int) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read(most)
    if not Path(file).exists():
        raise typer.BadParameter(f"file `{file}` does not exist")
    with Path(file).open("rb") as stream:
        return stream.read(most)


def _found(inspection: Inspection, path: str, form: Format) -> WrittenFile:
    files = [file for part in inspection.parts for file in part.files]
    found = [file for file in files if file.path == path]
    if not found:
        known = "".join(f"\n  {file.path}" for file in files) or " none"
        stop(f"there is no file {path} in it; there are:{known}", form)
    # cloud-init lets the last of several entries for one path win.
    return found[-1]


def _print_file(file: WrittenFile, form: Format) -> None:
    if form is Format.TEXT:
        sys.stdout.buffer.write(file.content)
        return
    from base64 import b64encode  # noqa: PLC0415  only bytes that are no text need it

    try:
        content = {"content": file.content.decode()}
    except UnicodeDecodeError:
        content = {"contentBase64": b64encode(file.content).decode()}
    show_json(_file_as_data(file) | content)


def _write(inspection: Inspection, folder: Path, form: Format) -> None:
    from imagegen.filetree import PRIVATE, FileTree  # noqa: PLC0415  only this option needs it

    if folder.exists():
        stop(f"{folder}: is there already; name a new folder", form)
    tree = FileTree()
    for path, file in {file.path: file for part in inspection.parts for file in part.files}.items():
        try:
            tree.add(path.lstrip("/"), file.content, PRIVATE)
        except ValueError:
            stop(f"the file `{path}` would not lie below {folder}; nothing was written", form)
    write_tree(tree, folder, frozenset())
    if form is Format.TEXT:
        say(f"wrote {len(tree)} files below {folder}/, all of them readable by you alone")


def _file_as_data(file: WrittenFile) -> dict[str, Any]:
    return {"path": file.path, "mode": file.mode, "encoding": file.encoding, "bytes": len(file.content)}


def _as_data(inspection: Inspection) -> dict[str, Any]:
    parts = [
        {
            "kind": part.kind,
            "bytes": len(part.text),
            "files": [_file_as_data(file) for file in part.files],
        }
        for part in inspection.parts
    ]
    return {"layers": list(inspection.layers), "parts": parts}


def _list(inspection: Inspection) -> None:
    for part in inspection.parts:
        say(f"{' of '.join((*inspection.layers, part.kind))}, {len(part.text):,} bytes")
        rows = [(file.path, file.mode, file.encoding, f"{len(file.content):,}") for file in part.files]
        if rows:
            show_table(("path", "mode", "encoding", "bytes"), rows, right=("bytes",))
