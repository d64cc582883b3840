"""What a bake costs beyond the installs themselves: `make bake-figures`. Both are done afresh, one after the other.

The goal for time is held to what the processors worked, which other work on the machine does not change; how long it
took by the clock is shown beside it.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import time
from collections.abc import Callable
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
TIME_GOAL, SIZE_GOAL = 1.2, 1.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """Seconds by the clock, and seconds that processors worked for it."""

    clock: float
    work: float


def test_a_bake_beside_the_same_installs_by_hand(site: Site) -> None:
    baked, by_hand = site.work / "baked", site.work / "by-hand"
    bake_took = _timed(lambda: bake.bake(site.image.inputs, _made(baked)))
    hand_took = _timed(lambda: _by_hand(site, _made(by_hand)))
    for folder in (baked, by_hand):
        _trimmed(folder / "disk.qcow2")
    bake_bytes, hand_bytes = (_used(folder / "disk.qcow2", site.work) for folder in (baked, by_hand))
    sizes = [(folder / "disk.qcow2").stat().st_size for folder in (baked, by_hand)]
    for what, one, other in (("clock", bake_took.clock, hand_took.clock), ("work", bake_took.work, hand_took.work)):
        _say(f"{site.release}: {what}: {one:.0f} s, by hand {other:.0f} s: {one / other:.2f} times (goal {TIME_GOAL})")
    _say(f"{site.release}: {bake_bytes >> 20} MiB of files, by hand {hand_bytes >> 20} MiB")
    _say(f"{site.release}: {bake_bytes / hand_bytes:.2f} times (goal {SIZE_GOAL})")
    _say(f"{site.release}: disk file {sizes[0] >> 20} MiB, by hand {sizes[1] >> 20} MiB")
    assert bake_took.work / hand_took.work <= TIME_GOAL
    assert bake_bytes / hand_bytes <= SIZE_GOAL
    assert sizes[0] / sizes[1] <= SIZE_GOAL


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
