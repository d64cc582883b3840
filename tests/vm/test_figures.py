"""What a bake costs beyond the installs themselves: `make bake-figures`. Both are done afresh, in turn, and twice.

Of each the better time counts: on a machine that others share, the same bake takes a fifth more now and then. The goal
for time is held to what the processors worked; how long it took by the clock is shown beside it.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from imagegen.lab import disk as disks
from tests.support import bake, guest
from tests.vm.conftest import Site

pytestmark = [pytest.mark.figures, pytest.mark.timeout(7200)]

# Someone at a keyboard, with the bundle and nothing else: no checks, no seal.
BY_HAND = """
set -e
mount -o ro /dev/disk/by-label/cidata /mnt
cd /mnt/bundle
DEBIAN_FRONTEND=noninteractive apt-get --quiet=2 -oDPkg::Options::=--force-unsafe-io \
    install --assume-yes --no-install-recommends ./packages/*.deb
install -m 0755 bin/containerd bin/containerd-shim-runc-v2 bin/ctr /usr/local/bin
install -m 0755 bin/kubeadm bin/kubectl bin/kubelet /usr/bin
install -m 0755 -D -t /opt/cni/bin cni/*
systemd-run --unit=containerd --property=Delegate=yes --quiet /usr/local/bin/containerd
until ctr version; do sleep 1; done
find images -name '*.tar' -print0 | xargs -0 -n 1 -P 2 ctr --namespace=k8s.io images import \
    --local --discard-unpacked-layers
systemctl stop containerd
sync
"""
LIMIT = 3600
ROUNDS = 2
TIME_GOAL, SIZE_GOAL = 1.2, 1.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """Seconds by the clock, and seconds that processors worked for it."""

    clock: float
    work: float


def test_a_bake_beside_the_same_installs_by_hand(site: Site) -> None:
    rounds = [_round(site, _made(site.work / f"round-{number}")) for number in range(ROUNDS)]
    bakes, hands = zip(*(each for each, _ in rounds), strict=True)
    for what in ("clock", "work"):
        one, other = _best(bakes, what), _best(hands, what)
        all_of_them = ", ".join(f"{getattr(took, what):.0f}" for took in (*bakes, *hands))
        ratio = f"{one / other:.2f} times (goal {TIME_GOAL}); all: {all_of_them}"
        _say(f"{site.release}: {what}: {one:.0f} s, by hand {other:.0f} s: {ratio}")
    baked, by_hand = (folder / "disk.qcow2" for folder in rounds[-1][1])
    for disk in (baked, by_hand):
        _trimmed(disk)
    bake_bytes, hand_bytes = (_used(disk, site.work) for disk in (baked, by_hand))
    sizes = [disk.stat().st_size for disk in (baked, by_hand)]
    _say(f"{site.release}: {bake_bytes >> 20} MiB of files, by hand {hand_bytes >> 20} MiB")
    _say(f"{site.release}: {bake_bytes / hand_bytes:.2f} times (goal {SIZE_GOAL})")
    _say(f"{site.release}: disk file {sizes[0] >> 20} MiB, by hand {sizes[1] >> 20} MiB")
    assert _best(bakes, "work") / _best(hands, "work") <= TIME_GOAL
    assert bake_bytes / hand_bytes <= SIZE_GOAL
    assert sizes[0] / sizes[1] <= SIZE_GOAL


def _round(site: Site, folder: Path) -> tuple[tuple[Took, Took], tuple[Path, Path]]:
    """A bake, and the same by hand: what each took, and the folders of their disks."""
    baked, by_hand = folder / "baked", folder / "by-hand"
    took = (
        _timed(lambda: bake.bake(site.image.inputs, _made(baked))),
        _timed(lambda: _by_hand(site, _made(by_hand))),
    )
    return took, (baked, by_hand)


def _best(took: Sequence[Took], what: str) -> float:
    return min(float(getattr(each, what)) for each in took)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _timed(do: Callable[[], object]) -> Took:
    before, started = _worked(), time.monotonic()
    do()
    return Took(clock=time.monotonic() - started, work=_worked() - before)


def _worked() -> float:
    """Seconds that processors worked for the programs that this one started, and that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _by_hand(site: Site, folder: Path) -> None:
    inputs = site.image.inputs
    variables = json.loads(next(inputs.packer_folder.glob("*.auto.pkrvars.json")).read_text())
    with guest.booted(
        inputs.base.disk,
        inputs.packer_folder / "seed",
        folder,
        # The first address that QEMU gives.
        address="192.168.76.15",
        user="imagegen-build",
        key=inputs.packer_folder / "build-key",
        gib=variables["qemu_disk_gib"],
        more=(inputs.bundle,),
    ) as machine:
        machine.wait_for_ssh(LIMIT)
        machine.run("cloud-init status --wait", check=False, limit=LIMIT)
        machine.run(BY_HAND, limit=LIMIT)
        machine.power_off(LIMIT)
        os.link(machine.disk, folder / "disk.qcow2")


def _trimmed(disk: Path) -> None:
    """Write it anew, by itself, without what is empty of it."""
    anew = disk.with_name("anew.qcow2")
    subprocess.run(["qemu-img", "convert", "-O", "qcow2", disk, anew], check=True)
    anew.replace(disk)


def _used(disk: Path, work: Path) -> int:
    """Bytes of the root file system that are taken."""
    raw = disks.copy_raw(disk, work / "used.raw")
    with disks.mounted(raw, work / "used", read_only=True) as root:
        usage = shutil.disk_usage(root)
    raw.unlink()
    return usage.used


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201
