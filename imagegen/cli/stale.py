"""`imagegen stale`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imagegen.cli.codes import FINDINGS
from imagegen.cli.common import FormatOption, SpecArgument, fail, load_assets, read_spec
from imagegen.console import Format, say, show_json

if TYPE_CHECKING:
    from imagegen.staleness import Baked, Verdict


def stale(
    spec: SpecArgument,
    against: Annotated[
        str,
        typer.Option(
            "--against",
            metavar="FILE",
            help="Packer's manifest.json, or the output of `aliyun ecs DescribeImages` or `aws ec2 describe-images`; "
            "`-` for standard input.",
        ),
    ],
    form: FormatOption = Format.TEXT,
) -> None:
    """Say whether baked images are still what the spec asks for.

    Each image of the spec is compared with the newest of its name in FILE. Exit code 1 if one is stale, or was never
    baked; the lines below it say why.
    """
    from imagegen.pipeline import describe_images  # noqa: PLC0415  the stages are slow to import
    from imagegen.staleness import judge  # noqa: PLC0415

    loaded = load_assets()
    cluster = read_spec(spec, loaded, form)
    records = _records(against)
    verdicts = [
        judge(name, image.contents, image.fingerprint, records)
        for name, image in describe_images(cluster, loaded).items()
    ]
    if form is Format.JSON:
        show_json({"images": [_as_data(verdict) for verdict in verdicts]})
    else:
        for verdict in verdicts:
            _show(verdict)
    if not all(verdict.fresh for verdict in verdicts):
        raise typer.Exit(FINDINGS)


def _records(against: str) -> tuple[Baked, ...]:
    from imagegen.staleness import UnknownListError, read_records  # noqa: PLC0415  as above

    text = sys.stdin.read() if against == "-" else Path(against).read_text(encoding="utf-8")
    try:
        return read_records(json.loads(text))
    except (ValueError, UnknownListError):
        fail(f"{against}: neither Packer's manifest.json nor a list of images of Alibaba Cloud or AWS, as JSON")


def _as_data(verdict: Verdict) -> dict[str, Any]:
    newest = verdict.newest.identity if verdict.newest else None
    return {"image": verdict.image, "fresh": verdict.fresh, "newest": newest, "reasons": list(verdict.reasons)}


def _show(verdict: Verdict) -> None:
    newest = f" ({verdict.newest.identity})" if verdict.newest else ""
    say(f"{verdict.image}: {'fresh' if verdict.fresh else 'stale'}{newest}")
    for reason in verdict.reasons:
        say(f"    {reason}")
