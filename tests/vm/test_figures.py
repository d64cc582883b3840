"""What a bake costs beyond the installs themselves: `make bake-figures`. Both are done afresh, one after the other."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
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
DEBIAN_FRONTEND=noninteractive dpkg --force-unsafe-io --install packages/*.deb
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


def test_a_bake_beside_the_same_installs_by_hand(site: Site) -> None:
    baked, by_hand = site.work / "baked", site.work / "by-hand"
    bake_seconds = _bake(site, baked)
    hand_seconds = _by_hand(site, by_hand)
    bake_bytes, hand_bytes = (_used(folder / "disk.qcow2", site.work) for folder in (baked, by_hand))
    sizes = [_convert(folder / "disk.qcow2", folder / "again.qcow2").stat().st_size for folder in (baked, by_hand)]
    _say(f"{site.release}: baked in {bake_seconds:.0f} s, by hand in {hand_seconds:.0f} s")
    _say(f"{site.release}: {bake_seconds / hand_seconds:.2f} times (goal {TIME_GOAL})")
    _say(f"{site.release}: {bake_bytes >> 20} MiB of files, by hand {hand_bytes >> 20} MiB")
    _say(f"{site.release}: {bake_bytes / hand_bytes:.2f} times (goal {SIZE_GOAL})")
    _say(f"{site.release}: disk file {sizes[0] >> 20} MiB, by hand {sizes[1] >> 20} MiB")
    assert bake_seconds / hand_seconds <= TIME_GOAL
    assert bake_bytes / hand_bytes <= SIZE_GOAL
    assert sizes[0] / sizes[1] <= SIZE_GOAL


def _bake(site: Site, folder: Path) -> float:
    folder.mkdir()
    started = time.monotonic()
    bake.bake(site.image.inputs, folder)
    return time.monotonic() - started


def _by_hand(site: Site, folder: Path) -> float:
    folder.mkdir()
    inputs = site.image.inputs
    variables = json.loads(next(inputs.packer_folder.glob("*.auto.pkrvars.json")).read_text())
    started = time.monotonic()
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
        seconds = time.monotonic() - started
        _convert(machine.disk, folder / "disk.qcow2")
        return seconds


def _convert(disk: Path, target: Path) -> Path:
    """The disk without what is empty of it."""
    subprocess.run(["qemu-img", "convert", "-O", "qcow2", disk, target], check=True)
    return target


def _used(disk: Path, work: Path) -> int:
    """Bytes of the root file system that are taken."""
    raw = disks.copy_raw(disk, work / "used.raw")
    with disks.mounted(raw, work / "used", read_only=True) as root:
        usage = shutil.disk_usage(root)
    raw.unlink()
    return usage.used


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201
