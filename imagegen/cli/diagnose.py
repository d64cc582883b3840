"""`imagegen diagnose`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from imagegen import assets
from imagegen.cli.codes import FINDINGS
from imagegen.cli.common import FormatOption, fail
from imagegen.console import Format, show_json

STDIN = "-"


def diagnose(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="What a node left, a file for each node; `-` for standard input."),
    ],
    form: FormatOption = Format.TEXT,
) -> None:
    """Say what went wrong on nodes, from what they left.

    FILE is a console log (`aws ec2 get-console-output`, `aliyun ecs GetInstanceConsoleOutput`, `gcloud compute
    instances get-serial-port-output`, `openstack console log show`, a hypervisor's file; as text, JSON or base64), the
    journal of imagegen-bootstrap.service (`journalctl -o short|json|export`), or `/var/lib/imagegen/status.json`: which
    of them is told by what is in it. Nothing is asked over the network. Where several causes look the same from a node,
    all of them are named. Exit code 0 if every node is done, 1 if one is not, or is not well.
    """
    from imagegen import diagnosis  # noqa: PLC0415  slow to import
    from imagegen.cli.diagnosed import diagnosis_as_data, show_diagnosis  # noqa: PLC0415
    from imagegen.diagnosis.findings import Knowledge  # noqa: PLC0415

    contents = [("standard input" if name == STDIN else name, _read(name)) for name in files]
    known = Knowledge(tables=assets.catalog().symptoms, next_steps=assets.next_steps(), mask=assets.masker())
    found = diagnosis.diagnose(contents, assets.phases(), known)
    if form is Format.JSON:
        show_json(diagnosis_as_data(found))
    else:
        show_diagnosis(found)
    if any(verdict.wrong for verdict in found.verdicts):
        raise typer.Exit(FINDINGS)


def _read(name: str) -> bytes:
    from imagegen.diagnosis.reading import MAX_BYTES  # noqa: PLC0415  as above

    if name == STDIN:
        data = sys.stdin.buffer.read(MAX_BYTES + 1)
    elif not Path(name).exists():
        raise typer.BadParameter(f"file `{name}` does not exist", param_hint="FILE")
    else:
        with Path(name).open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        fail(f"{name}: more than {MAX_BYTES:,} bytes: give its end, `tail -c 1M {name}`")
    return data
