"""`imagegen lock`."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imagegen.cli.common import (
    FormatOption,
    SpecArgument,
    load_assets,
    read_spec,
    read_spec_alone,
    read_text,
    stop,
)
from imagegen.cli.completion import complete_images
from imagegen.cli.net import MirrorOption, asking, image_names
from imagegen.console import Format, complain, say, show_json
from imagegen.filetree import PUBLIC
from imagegen.output import write_again, write_new

if TYPE_CHECKING:
    from imagegen.fetching.client import Client
    from imagegen.lock import Lock, Provision
    from imagegen.pipeline import Assets
    from imagegen.plan import ImagePlan
    from imagegen.spec import Cluster


_CLOSED = (
    "`source: binaries` locks all else, and takes packages from the machine's own repositories while it is baked; "
    "docs/bundle.md says how a bundle is made without a lock"
)


class Architecture(StrEnum):
    """What an image may be locked for."""

    AMD64 = "amd64"
    ARM64 = "arm64"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Locked:
    file: Path
    before: Lock | None
    lock: Lock
    changes: tuple[str, ...]
    written: bool
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    spec: Path
    architectures: Sequence[str]
    keyrings: Sequence[Path]
    trust_index: bool


def lock(
    spec: SpecArgument,
    image: Annotated[
        str | None,
        typer.Option(
            "--image", help="Lock this image alone; default: all of the spec.", autocompletion=complete_images
        ),
    ] = None,
    architecture: Annotated[
        list[Architecture] | None,
        typer.Option(
            "--architecture",
            "-A",
            help="Lock for this architecture, and keep what is locked for others; may be given several times; default: "
            "the image's own, and those of its lock.",
        ),
    ] = None,
    mirror: MirrorOption = None,
    keyring: Annotated[
        list[Path] | None,
        typer.Option(
            "--keyring",
            exists=True,
            dir_okay=False,
            help="A file with keys that may sign indexes of packages, beside those that this system has.",
        ),
    ] = None,
    trust_index: Annotated[
        bool,
        typer.Option("--trust-index", help="Take packages' hashes from the index, and download none of them."),
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Ask nobody; say whether the locks fit the spec (exit code 1: no).")
    ] = False,
    form: FormatOption = Format.TEXT,
) -> None:
    """Pin every version, address and hash of what goes into an image.

    The newest of everything that fits SPEC is looked up, downloaded once, hashed, and written to <image>.lock.yaml
    beside SPEC: commit it. `render` then pins the base disk and the bundle, and a bake takes nothing else. The lock has
    the vendors' own addresses. If there is nothing new, nothing is written.
    """
    loaded = load_assets()
    names = [str(one) for one in architecture or ()]
    if check:
        _check(read_spec(spec, loaded, form), spec, image, names, form)
        return
    cluster = read_spec_alone(spec, loaded, form)
    wish = _Wish(spec=spec, architectures=names, keyrings=keyring or (), trust_index=trust_index)
    locked = []
    for name in image_names(cluster, image, form):
        with asking(mirror, name, cluster, loaded, form) as client:
            locked.append(_lock(name, cluster, loaded, wish, client))
    if form is Format.JSON:
        show_json({"images": [_as_data(one) for one in locked]})
        return
    for one in locked:
        _show(one)


def _check(cluster: Cluster, spec: Path, image: str | None, wanted: list[str], form: Format) -> None:
    """Findings of the locks that are there ended the program already."""
    problems = []
    for name in image_names(cluster, image, form):
        found = cluster.locks.get(name)
        if found is None:
            problems.append(f"{_file(spec, name)}: there is no lock: run `imagegen lock {spec}`")
        else:
            lacking = [one for one in wanted if one not in found.architectures]
            problems += [f"{_file(spec, name)}: {one} is not locked: run `imagegen lock {spec}`" for one in lacking]
    if problems:
        stop("\n".join(problems), form)
    if form is Format.JSON:
        show_json({"findings": []})


def _file(spec: Path, name: str) -> Path:
    from imagegen.supply.beside import lock_file  # noqa: PLC0415  the stages are slow to import

    return Path(lock_file(str(spec), name))


def _lock(name: str, cluster: Cluster, loaded: Assets, wish: _Wish, client: Client) -> _Locked:
    from imagegen.lock import Lock, Source  # noqa: PLC0415  as above
    from imagegen.planner import plan_images  # noqa: PLC0415
    from imagegen.supply.changes import changes_of  # noqa: PLC0415
    from imagegen.supply.reading import write_lock  # noqa: PLC0415
    from imagegen.supply.wanted import why_not  # noqa: PLC0415

    plan = next(plan for plan in plan_images(cluster, loaded.catalog) if plan.name == name)
    if reason := why_not(plan, loaded.catalog):
        stop(f"image {name}: {reason}, so its packages cannot be locked: {_CLOSED}")
    if loaded.catalog.systems[plan.os].family == "dnf" and find_spec("solv") is None:
        stop(f"image {name}: to lock {plan.os}, libsolv is needed: pip install solv (wheels are for Linux)")
    file, notes = _file(wish.spec, name), list[str]()
    before = _read_old(file, loaded)
    heading = (plan.name, plan.os, plan.kubernetes_version, Source(plan.supply.source))
    fits = before is not None and heading == (before.name, before.os, before.kubernetes, before.source)
    kept = dict(before.architectures) if before else {}
    # An architecture that was not asked for stays as it is, if it can.
    chosen = wish.architectures if wish.architectures and fits else {*wish.architectures, *kept, plan.architecture}
    made = {
        one: _resolve(replace(plan, architecture=one), cluster, loaded, (kept.get(one), wish, client, notes))
        for one in sorted(chosen)
    }
    new = Lock(name=heading[0], os=heading[1], kubernetes=heading[2], source=heading[3], architectures={**kept, **made})
    text = write_lock(new)
    written = not file.exists() or read_text(file) != text
    if written:
        (write_again if file.exists() else _write_new)(file, text)
    changes = changes_of(before, new)
    return _Locked(file=file, before=before, lock=new, changes=changes, written=written, notes=tuple(notes))


def _write_new(file: Path, text: str) -> None:
    write_new(file, text, PUBLIC)


def _read_old(file: Path, loaded: Assets) -> Lock | None:
    from imagegen.supply.reading import read_lock  # noqa: PLC0415  as above

    if not file.exists():
        return None
    try:
        found, _, findings = read_lock(read_text(file), str(file), loaded.lock_schema)
    except UnicodeDecodeError:
        found, findings = None, ()
    if found is None:
        complain(f"{file}: {findings[0].message if findings else 'no text'}: it is made anew")
    return found


def _resolve(
    plan: ImagePlan, cluster: Cluster, loaded: Assets, how: tuple[Provision | None, _Wish, Client, list[str]]
) -> Provision:
    from imagegen.fetching.resolving import Asking, resolve  # noqa: PLC0415
    from imagegen.fetching.trust import Trust  # noqa: PLC0415  as above
    from imagegen.live import Transfer  # noqa: PLC0415
    from imagegen.lock import Provision  # noqa: PLC0415
    from imagegen.supply.beside import want_for  # noqa: PLC0415

    old, wish, client, notes = how
    wanted = want_for(cluster, plan, loaded.catalog)
    if wanted is None:
        raise AssertionError(plan.os)
    with tempfile.TemporaryDirectory(prefix="imagegen-lock-") as scratch, Transfer(None) as shown:
        way = Asking(
            client=client,
            scratch=Path(scratch),
            docker_hub=loaded.catalog.vendors.images.docker_hub,
            trust=Trust(keyrings=wish.keyrings, note=notes.append),
            trust_index=wish.trust_index,
            said=lambda text: shown.say(f"{plan.name}, {plan.architecture}: {text}"),
            hear=shown.hear,
        )
        return resolve(wanted, plan.architecture, old or Provision(), way)


def _show(locked: _Locked) -> None:
    for note in dict.fromkeys(locked.notes):
        complain(f"warning: {note}")
    counts = ", ".join(
        f"{len(provision.files)} files and {len(provision.images)} images for {name}"
        for name, provision in locked.lock.architectures.items()
    )
    if not locked.written:
        say(f"{locked.file}: nothing new")
    elif locked.before is None:
        say(f"wrote {locked.file}: {counts}; commit it")
    else:
        say(f"wrote {locked.file}:")
        for change in locked.changes or ("another form, the same contents",):
            say(f"    {change}")


def _as_data(locked: _Locked) -> dict[str, Any]:
    return {
        "name": locked.lock.name,
        "file": str(locked.file),
        "written": locked.written,
        "changes": list(locked.changes),
        "architectures": list(locked.lock.architectures),
        "notes": list(dict.fromkeys(locked.notes)),
    }
