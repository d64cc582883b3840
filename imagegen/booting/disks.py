"""Which disk a machine starts from: what the user names, or what a bake left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

NEWEST = "manifest.json"
"""What Packer writes beside the emitted templates."""


def given_disks(words: Sequence[str], images: Sequence[str]) -> Mapping[str, str]:
    """The path for each image of `DISK` or `IMAGE=DISK`; `ValueError` with what is wrong."""
    disks: dict[str, str] = {}
    for word in words:
        name, equals, path = word.partition("=")
        if equals and name in images:
            disks[name] = path
        elif len(set(images)) > 1:
            raise ValueError(f"these machines boot several images: name the disk of each, {_forms(images)}")
        else:
            disks[images[0]] = word
    return disks


def _forms(images: Sequence[str]) -> str:
    return " ".join(f"--image {name}=DISK" for name in dict.fromkeys(images))


def baked_files(manifest: Any) -> tuple[tuple[str, str], ...]:
    """File names and fingerprints of the disks in Packer's manifest, the newest first."""
    builds = manifest.get("builds") if isinstance(manifest, dict) else None
    found = [
        (str(file.get("name", "")).rpartition("/")[2], str((build.get("custom_data") or {}).get("fingerprint", "")))
        for build in builds or ()
        if isinstance(build, dict) and build.get("builder_type") == "qemu"
        for file in build.get("files") or ()
        if isinstance(file, dict)
    ]
    return tuple(reversed(found))
