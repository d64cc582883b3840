"""`imagegen boot`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from imagegen.cli.bundles import IdentityOption, SecretsOption, Sought, read_bundle
from imagegen.cli.common import SpecArgument, fail, load_assets, now, read_spec
from imagegen.cli.completion import complete_nodes


class Ground(StrEnum):
    """What the machines are."""

    QEMU = "qemu"
    NSPAWN = "nspawn"


class Accelerator(StrEnum):
    """How QEMU runs them."""

    KVM = "kvm"
    HVF = "hvf"
    TCG = "tcg"


def boot(
    spec: SpecArgument,
    image: Annotated[
        list[str] | None,
        typer.Option(
            "--image",
            metavar="[IMAGE=]DISK",
            help="The baked disk; with the image's name where the machines boot several; default: what `imagegen bake` "
            "or Packer's qemu builder left in OUT.",
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", help="Folder that `imagegen render` wrote the cluster's folder into.")
    ] = Path("out"),
    secrets: SecretsOption = None,
    identity: IdentityOption = None,
    ground: Annotated[
        Ground,
        typer.Option("--ground", help="Virtual machines, or containers of systemd-nspawn (Linux, root)."),
    ] = Ground.QEMU,
    node: Annotated[
        list[str] | None,
        typer.Option(
            "--node",
            metavar="NAME",
            help="Start this node alone; may be given several times; default: all with a name and an address.",
            autocompletion=complete_nodes,
        ),
    ] = None,
    memory: Annotated[
        int, typer.Option("--memory", metavar="MIB", min=1024, help="Memory of each virtual machine.")
    ] = 2048,
    accelerator: Annotated[
        Accelerator | None,
        typer.Option("--accelerator", help="How QEMU runs them; default: the quickest with which the disk boots here."),
    ] = None,
    timeout: Annotated[
        int | None,
        typer.Option(
            "--timeout",
            metavar="SECONDS",
            min=1,
            help="How long the nodes may take; default: 900, and 3600 for machines that are emulated (tcg).",
        ),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave disks, consoles and kubeconfig in OUT/<cluster>.boot at the end.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check it all, say what would start, and start nothing.")
    ] = False,
) -> None:
    """Bring the rendered cluster up as machines of this computer.

    Each node that has a name and an address in SPEC gets a disk of its own, made from the baked one, and its seed in
    OUT/<cluster>/nocloud/, on a network without a way out. How far each is shows line by line; when all nodes are
    Ready, there is a kubeconfig for them, and the machines run until Ctrl-C. A node that fails for good, or the time
    limit, ends them with what `imagegen diagnose` says; exit code 1 then. Nothing stays but the consoles of such a run.
    """
    from imagegen.cli.booted import Wishes, bring_up  # noqa: PLC0415  slow to import
    from imagegen.cli.booting import prepare, show_plan  # noqa: PLC0415
    from imagegen.lab.process import LabError  # noqa: PLC0415

    loaded = load_assets()
    cluster = read_spec(spec, loaded)
    bundle = read_bundle(spec, cluster, Sought(secrets, identity))
    try:
        ready = prepare(spec, cluster, bundle, loaded, out, image or [], node or [], shares=ground is Ground.NSPAWN)
        if dry_run:
            show_plan(ready)
            return
        wishes = Wishes(
            ground=ground, memory=memory, accelerator=str(accelerator or ""), timeout=timeout, keep=keep, now=now()
        )
        bring_up(ready, bundle, wishes)
    except LabError as error:
        fail(str(error))
