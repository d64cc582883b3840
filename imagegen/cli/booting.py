"""What must be so before machines of a cluster are started: the render, their disks, what the ground needs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagegen.booting.disks import baked_files, given_disks
from imagegen.booting.lineup import CannotBootError, Lineup, left_out, line_up
from imagegen.booting.needs import Asked, Host, find_needs, merged
from imagegen.cli.common import fail, stop, stop_for
from imagegen.console import complain, say, show_table
from imagegen.lab import host
from imagegen.lab.local import Wanted

if TYPE_CHECKING:
    from imagegen.bundle import Bundle
    from imagegen.pipeline import Assets, Rendering
    from imagegen.spec import Cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """All that is needed to start: the machines with their disks and seeds, and the folder for what they leave."""

    rendering: Rendering
    lineup: Lineup
    wanted: tuple[Wanted, ...]
    folder: Path


def prepare(
    spec: Path,
    cluster: Cluster,
    bundle: Bundle,
    loaded: Assets,
    out: Path,
    image: Sequence[str],
    nodes: Sequence[str],
    *,
    shares: bool,
) -> Ready:
    """Check it all; ends the program with what to do where something is missing. `shares`: the host's kernel."""
    rendering = _rendered(cluster, bundle, loaded, out)
    try:
        lineup = line_up(cluster, rendering.plan, nodes)
        given = given_disks(image, [member.image for member in lineup.members])
    except (CannotBootError, ValueError) as error:
        stop(str(error))
    if shares:
        _check_host(spec, cluster, loaded, rendering)
    folder = out / cluster.metadata.name
    wanted = tuple(
        Wanted(
            name=member.name,
            disk=_disk(member.image, given.get(member.image), folder, rendering.fingerprints[member.image]),
            seed=folder / "nocloud" / member.name,
        )
        for member in lineup.members
    )
    for sentence in left_out(cluster, lineup):
        complain(sentence)
    return Ready(rendering=rendering, lineup=lineup, wanted=wanted, folder=out / f"{cluster.metadata.name}.boot")


def show_plan(ready: Ready) -> None:
    """The machines that would be started."""
    rows = [
        (member.name, member.role, str(member.address), str(each.disk), str(each.seed))
        for member, each in zip(ready.lineup.members, ready.wanted, strict=True)
    ]
    show_table(("node", "role", "address", "disk", "seed"), rows)
    say(f"beside them: {ready.lineup.operator}, this computer")


def _rendered(cluster: Cluster, bundle: Bundle, loaded: Assets, out: Path) -> Rendering:
    """What a render would be now; it must be what lies there."""
    from imagegen import pipeline  # noqa: PLC0415  the stages are slow to import

    rendering, report = pipeline.render(cluster, bundle, loaded)
    if rendering is None:
        stop_for(report)
    folder = out / cluster.metadata.name
    for name, file in rendering.tree:
        path = folder / name
        if name.startswith("nocloud/") and not (path.is_file() and path.read_bytes() == file.content):
            stop(f"{path}: not what the spec and its secrets ask for: run `imagegen render` first")
    return rendering


def _check_host(spec: Path, cluster: Cluster, loaded: Assets, rendering: Rendering) -> None:
    from imagegen import yaml_dump  # noqa: PLC0415  as above
    from imagegen.planner import decide  # noqa: PLC0415

    if not host.is_root():
        fail("machines of systemd-nspawn need Linux and root: run it by `sudo`, or take `--ground qemu`")
    versions = {image.runtime.config_version for image in rendering.plan.images}
    asked = Asked(cluster=decide(cluster, loaded.catalog), config_version=max(versions), host=_this_host())
    needs = find_needs(asked)
    if needs:
        reasons = "".join(f"  - {need.reason}\n" for need in needs)
        lines = "".join(f"  {line}\n" for line in yaml_dump.dump(merged(needs)).splitlines())
        stop(
            f"machines of this host's kernel need what the spec does not say:\n{reasons}"
            f"Put this into {spec}, or into a spec that `extends` it, and render that:\n{lines.rstrip()}"
        )


def _this_host() -> Host:
    return Host(
        unified=host.is_unified(),
        lowers_oom_scores=host.lowers_oom_scores(),
        swaps=host.swaps(),
        proxy_modes=host.proxy_modes(),
    )


def _disk(image: str, given: str | None, folder: Path, fingerprint: str) -> Path:
    """The disk that the user names, or that a bake left; one that is known to be of something else is refused."""
    packer = folder / "images" / image / "packer"
    if given is not None:
        path = Path(given)
        if not path.is_file():
            stop(f"{path}: there is no such disk: `--image` names what was baked")
        compare(path, image, _fingerprint_of(path), fingerprint)
        return path
    found = [(packer / "output" / name, baked) for name, baked in baked_files(_read(packer / "manifest.json"))]
    for path, baked in found:
        if path.is_file():
            compare(path, image, baked, fingerprint)
            return path
    return stop(
        f"there is no baked disk of the image {image} in {packer / 'output'}: bake it by `imagegen bake SPEC --only "
        "qemu`, or name its disk by `--image`"
    )


def compare(disk: object, image: str, baked: str, fingerprint: str) -> None:
    """Refuse a disk that is known to be of something else."""
    if baked and baked != fingerprint:
        stop(
            f"{disk}: baked with the fingerprint {baked[:12]}, and the spec asks for {fingerprint[:12]} of the image "
            f"{image}: bake it again, or say by `imagegen stale` what has changed"
        )


def _fingerprint_of(disk: Path) -> str:
    """What a manifest beside a disk, or above its folder, says of it; nothing where none does."""
    for manifest in (disk.parent / "manifest.json", disk.parent.parent / "manifest.json"):
        for name, fingerprint in baked_files(_read(manifest)):
            if name == disk.name:
                return fingerprint
    return ""


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
