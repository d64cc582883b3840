"""`imagegen inspect`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imagegen.cli.common import FINDINGS
from imagegen.console import Format, complain, say, show_table
from imagegen.output import write_tree

if TYPE_CHECKING:
    from imagegen.inspection import Inspection

FileArgument = Annotated[str, typer.Argument(metavar="FILE", help="The artifact; `-` for standard input.")]
ShowOption = Annotated[str | None, typer.Option("--show", metavar="PATH", help="Print one of its files instead.")]
OutOption = Annotated[Path | None, typer.Option("--out", help="Write all of its files below this new folder.")]


def inspect(
    file: FileArgument,
    show: ShowOption = None,
    out: OutOption = None,
    form: Annotated[Format, typer.Option("--format", help="How the list is written.")] = Format.TEXT,
) -> None:
    """Decode user-data in any form (base64, gzip, MIME) back to its files; contents are shown only on request."""
    from imagegen.inspection import UndecodableError, inspect_artifact  # noqa: PLC0415  slow to import

    data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    try:
        inspection = inspect_artifact(data)
    except UndecodableError as error:
        complain(f"{file}: no user-data: {error}")
        raise typer.Exit(FINDINGS) from None
    if show is not None:
        _print_file(inspection, show)
    elif out is not None:
        _write(inspection, out)
    elif form is Format.JSON:
        say(json.dumps(_as_data(inspection), indent=2))
    else:
        _list(inspection)


def _print_file(inspection: Inspection, path: str) -> None:
    found = [file for part in inspection.parts for file in part.files if file.path == path]
    if not found:
        complain(f"there is no file {path} in it")
        raise typer.Exit(FINDINGS)
    sys.stdout.buffer.write(found[-1].content)


def _write(inspection: Inspection, folder: Path) -> None:
    from imagegen.filetree import PRIVATE, FileTree  # noqa: PLC0415  only this option needs it

    if folder.exists():
        complain(f"{folder}: is there already; name a new folder")
        raise typer.Exit(FINDINGS)
    tree = FileTree()
    # cloud-init lets the last of several entries for one path win.
    for path, file in {file.path: file for part in inspection.parts for file in part.files}.items():
        tree.add(path.lstrip("/"), file.content, PRIVATE)
    write_tree(tree, folder, frozenset())
    say(f"wrote {len(tree)} files below {folder}/, all of them readable by you alone")


def _as_data(inspection: Inspection) -> dict[str, Any]:
    parts = [
        {
            "kind": part.kind,
            "bytes": len(part.text),
            "files": [
                {"path": file.path, "mode": file.mode, "encoding": file.encoding, "bytes": len(file.content)}
                for file in part.files
            ],
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
