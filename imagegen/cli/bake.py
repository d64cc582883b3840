"""`imagegen bake`."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imagegen.cli.common import SpecArgument, fail, load_assets, read_spec, stop
from imagegen.cli.completion import complete_builders, complete_images
from imagegen.console import say

if TYPE_CHECKING:
    from imagegen.baking import Bake
    from imagegen.pipeline import Assets
    from imagegen.spec import Cluster

_LAST_LINES = 20


def bake(
    spec: SpecArgument,
    image: Annotated[
        str | None,
        typer.Option(
            "--image", help="Bake this image alone; default: all of the spec.", autocompletion=complete_images
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="BUILDER",
            help="Bake with this builder of Packer (qemu, alicloud-ecs); may be given several times; default: that of "
            "the spec's provider.",
            autocompletion=complete_builders,
        ),
    ] = None,
    bundle: Annotated[
        Path | None,
        typer.Option(
            "--bundle",
            exists=True,
            file_okay=False,
            help="Folder of the offline bundle: what is installed in the image.",
        ),
    ] = None,
    var: Annotated[
        list[str] | None,
        typer.Option(
            "--var",
            metavar="NAME=VALUE",
            help="Set a variable of the folder's variables.pkr.hcl; may be given several times.",
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", help="Folder that `imagegen render` wrote the cluster's folder into.")
    ] = Path("out"),
    packer: Annotated[str, typer.Option("--packer", help="The Packer to run: a name or a path.")] = "packer",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the commands, and run none but `packer version`.")
    ] = False,
) -> None:
    """Bake the rendered images: Packer's init, validate, build.

    They are run in OUT/<cluster>/images/<image>/packer, which must be what SPEC asks for now. Each phase is shown as
    it begins; the whole log is bake.log in that folder, without the secrets of the environment. Ctrl-C lets Packer
    take its machine down.
    """
    loaded = load_assets()
    cluster = read_spec(spec, loaded)
    variables = dict(_assignment(text) for text in var or ())
    if bundle is not None:
        variables["bundle_dir"] = str(bundle.resolve())
    plan = _plan(packer, _builders(cluster, loaded, only), variables)
    # The first is baked for minutes: what is wrong with the last is said before.
    for name, folder in tuple(_folders(cluster, loaded, image, out)):
        _bake_one(name, folder, plan, dry_run=dry_run)


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"`{text}` is not NAME=VALUE", param_hint="--var")
    return name, value


def _builders(cluster: Cluster, loaded: Assets, only: list[str] | None) -> tuple[str, ...]:
    known = loaded.catalog.builders
    # Packer takes a name that it does not know, builds nothing, and calls that success.
    for name in only or ():
        if name not in known:
            raise typer.BadParameter(f"there is no builder `{name}`; known: {', '.join(known)}", param_hint="--only")
    provider = cluster.provider.type
    chosen = only or [loaded.catalog.providers[provider].builder]
    if not all(chosen):
        stop(f"there is no builder for images of `{provider}` yet; `--only` names one of these: {', '.join(known)}")
    return tuple(dict.fromkeys(chosen))


def _plan(packer: str, builders: tuple[str, ...], variables: dict[str, str]) -> Bake:
    from imagegen.baking import Bake, version_of  # noqa: PLC0415  slow to import

    # The commands are run in another folder.
    packer = str(Path(packer).absolute()) if os.sep in packer else packer
    try:
        version = version_of(packer)
    except FileNotFoundError:
        fail(f"{packer}: not found: install Packer, or name it with --packer")
    except ValueError as error:
        fail(f"{packer}: this is not Packer: it says `{error}`")
    return Bake(packer=packer, version=version, builders=builders, variables=variables)


def _folders(cluster: Cluster, loaded: Assets, image: str | None, out: Path) -> Iterable[tuple[str, Path]]:
    """The rendered folders of the images; each must be what the spec asks for now."""
    from imagegen.pipeline import describe_images  # noqa: PLC0415  the stages are slow to import

    images = describe_images(cluster, loaded)
    if image is not None and image not in images:
        stop(f"there is no image `{image}`; known: {', '.join(images)}")
    for name in [image] if image else list(images):
        folder = out / cluster.metadata.name / "images" / name / "packer"
        settings = folder / "image.env"
        if not settings.is_file() or f"IMAGE_FINGERPRINT={images[name].fingerprint}\n" not in settings.read_text():
            stop(f"{folder}: not what the spec asks for: run `imagegen render` first")
        yield name, folder


def _bake_one(name: str, folder: Path, plan: Bake, *, dry_run: bool) -> None:
    from imagegen.baking import commands_of, staged  # noqa: PLC0415  slow to import
    from imagegen.baking.commands import INIT_SINCE  # noqa: PLC0415

    old = plan.version < INIT_SINCE
    if old:
        # It runs in a copy, which is gone afterwards.
        plan = replace(plan, variables={"output_dir": str((folder / "output").resolve()), **plan.variables})
    version = ".".join(str(part) for part in plan.version)
    say(f"image {name}: Packer {version}{', without `packer init` and plugins.pkr.hcl, which it lacks' if old else ''}")
    if dry_run:
        for command in commands_of(plan):
            say(f"    {shlex.join(command)}")
        return
    log = folder / "bake.log"
    log.touch(mode=0o600)
    started = time.monotonic()
    with staged(folder, plan.version) as place:
        _run_all(plan, place, log)
    say(f"image {name}: baked in {time.monotonic() - started:.0f} s; log: {log}")


def _run_all(plan: Bake, place: Path, log: Path) -> None:
    from imagegen.baking import commands_of, follow, mask_for, read_line  # noqa: PLC0415  slow to import
    from imagegen.live import Progress  # noqa: PLC0415

    mask = mask_for(os.environ)
    environment = {**os.environ, "CHECKPOINT_DISABLE": "1"}
    last: list[str] = []
    with log.open("w", encoding="utf-8") as file, Progress() as progress:

        def hear(text: str) -> None:
            masked = mask(text)
            file.write(masked + "\n")
            file.flush()
            last.append(masked)
            del last[:-_LAST_LINES]
            if line := read_line(masked):
                progress.show(line.builder, line.text, phase=line.phase)

        for command in commands_of(plan):
            progress.show("packer", command[1], phase=True)
            if code := follow(command, place, environment, hear):
                failed = f"`packer {command[1]}` ended with code {code}; the whole log: {log}"
                break
        else:
            return
    fail("\n".join([*last, failed]))
