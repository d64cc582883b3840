"""Disk images as folders: a raw copy, its root partition found, mounted and let go again."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from imagegen.lab.process import LabError, run


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """Where on a disk a file system lies, in bytes."""

    offset: int
    size: int


def copy_raw(image: Path, target: Path) -> Path:
    """A sparse raw copy of a disk image of any format that qemu-img reads."""
    run("qemu-img", "convert", "-O", "raw", str(image), str(target), timeout=600)
    return target


def root_extent(disk: Path) -> Extent:
    """The root file system of a raw disk: its largest partition, or all of it."""
    table = run("sfdisk", "--json", str(disk), check=False)
    if table.returncode != 0:
        return Extent(offset=0, size=disk.stat().st_size)
    return largest_partition(table.stdout)


def largest_partition(table: str) -> Extent:
    """Pick the largest partition out of what `sfdisk --json` said."""
    disk = json.loads(table)["partitiontable"]
    sector = int(disk.get("sectorsize", 512))
    extents = [
        Extent(offset=int(part["start"]) * sector, size=int(part["size"]) * sector)
        for part in disk.get("partitions", [])
    ]
    if not extents:
        raise LabError("the disk has a partition table without a partition")
    return max(extents, key=lambda extent: extent.size)


def mount(disk: Path, folder: Path, *, read_only: bool = False) -> None:
    """Mount a raw disk's root file system on `folder`.

    The kernel shows no partition nodes everywhere, so it goes by offset; the loop device frees itself
    when the file system is unmounted, also when that happens after a killed run.
    """
    extent = root_extent(disk)
    options = ["loop", f"offset={extent.offset}", f"sizelimit={extent.size}"]
    if read_only:
        options += ["ro", "noload"]
    folder.mkdir(parents=True, exist_ok=True)
    run("mount", "-o", ",".join(options), str(disk), str(folder))


def unmount(folder: Path) -> None:
    """Unmount and remove the empty mount point."""
    run("umount", str(folder))
    folder.rmdir()


@contextmanager
def mounted(disk: Path, folder: Path, *, read_only: bool = False) -> Iterator[Path]:
    """The disk's root file system, for as long as the block lasts."""
    mount(disk, folder, read_only=read_only)
    try:
        yield folder
    finally:
        unmount(folder)
