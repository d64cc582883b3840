"""A NoCloud seed as a drive of a QEMU machine."""

from pathlib import Path

from imagegen.lab.accelerators import escaped

LABEL = "cidata"
"""By this name of a file system cloud-init finds its seed (its documentation, NoCloud)."""


def drive(seed: Path) -> tuple[str, ...]:
    """QEMU shows the folder itself as a read-only FAT disk (vvfat): no other file ever holds its secrets."""
    options = f"format=raw,if=virtio,readonly=on,file.driver=vvfat,file.dir={escaped(seed)},file.label={LABEL}"
    return ("-drive", options)
