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
    from imagegen.inventory import Inventory
    from imagegen.records import Baked
    from imagegen.staleness import Verdict

MAX_BYTES = 64 * 2**20
"""A cloud's list of some ten thousand images."""


def stale(
    spec: SpecArgument,
    against: Annotated[
        str,
        typer.Option(
            "--against",
            metavar="FILE",
            help="What was baked: Packer's manifest.json, or a cloud's list of images as JSON; `-` for standard input.",
        ),
    ],
    form: FormatOption = Format.TEXT,
) -> None:
    """Say whether baked images are still what the spec asks for.

    FILE tells what was baked; of several images with one name the newest counts. Below a stale one stands why; where
    the bake's inventory.json lies beside FILE, also what no manifest tells. Lists are those of `aliyun ecs
    DescribeImages`, `aws ec2 describe-images`, `gcloud compute images list`, `az image list`, `az sig image-version
    list`, `openstack image show`, and Glance's own. Exit code 1 if any is stale or was never baked, 3 if FILE cannot be
    read or is nothing of that kind.
    """
    from imagegen.pipeline import describe_images  # noqa: PLC0415  the stages are slow to import
    from imagegen.staleness import judge  # noqa: PLC0415

    loaded = load_assets()
    cluster = read_spec(spec, loaded, form)
    records, inventory = _records(against), _inventory(against)
    verdicts = [
        judge(name, image.contents, image.fingerprint, records, inventory)
        for name, image in describe_images(cluster, loaded).items()
        if name not in cluster.stock_images
    ]
    if form is Format.JSON:
        show_json({"images": [_as_data(verdict) for verdict in verdicts]})
    else:
        for verdict in verdicts:
            _show(verdict)
        for name in cluster.stock_images:
            say(f"{name}: not baked, its machines install themselves")
    if not all(verdict.fresh for verdict in verdicts):
        raise typer.Exit(FINDINGS)


def _records(against: str) -> tuple[Baked, ...]:
    from imagegen.records import UnknownListError, read_records  # noqa: PLC0415  as above

    if against != "-" and not Path(against).exists():
        raise typer.BadParameter(f"file `{against}` does not exist", param_hint="--against")
    name = "standard input" if against == "-" else against
    try:
        data = _read(against)
        if len(data) > MAX_BYTES:
            fail(f"{name}: no list of images: more than {MAX_BYTES:,} bytes")
        return read_records(json.loads(data))
    except OSError as error:
        fail(f"{name}: {error.strerror}")
    except (ValueError, RecursionError, UnknownListError):
        message = "neither Packer's manifest.json nor a list of images as a cloud's own command line gives it, as JSON"
        fail(f"{name}: {message}")


def _inventory(against: str) -> Inventory | None:
    """What was found in the image that FILE tells of, where the bake left it there."""
    from imagegen.cli.sbom import FILE, read_beside  # noqa: PLC0415  as above

    path = Path(against).with_name(FILE)
    return read_beside(path.parent) if against != "-" and path.is_file() else None


def _read(against: str) -> bytes:
    if against == "-":
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    with Path(against).open("rb") as stream:
        return stream.read(MAX_BYTES + 1)


def _as_data(verdict: Verdict) -> dict[str, Any]:
    newest = verdict.newest.identity if verdict.newest else None
    return {"image": verdict.image, "fresh": verdict.fresh, "newest": newest, "reasons": list(verdict.reasons)}


def _show(verdict: Verdict) -> None:
    newest = f" ({verdict.newest.identity})" if verdict.newest else ""
    say(f"{verdict.image}: {'fresh' if verdict.fresh else 'stale'}{newest}")
    for reason in verdict.reasons:
        say(f"    {reason}")
