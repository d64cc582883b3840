"""Rules about the further disks of machines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from imagegen.bundle import CONTROL_PLANE
from imagegen.catalog import Catalog
from imagegen.diagnostics import Diagnostic, Path
from imagegen.spec import Cluster, Disk

# What the image or user-data put there would be hidden: /var/lib/containerd holds the images that were baked in.
_NEEDED = (
    "/boot",
    "/etc",
    "/opt",
    "/root",
    "/usr",
    "/var/lib/cloud",
    "/var/lib/containerd",
    "/var/lib/imagegen",
)


def _groups(cluster: Cluster) -> Iterator[tuple[Path, str, tuple[Disk, ...]]]:
    yield ("controlPlane", "disks"), CONTROL_PLANE, cluster.control_plane.disks
    for number, pool in enumerate(cluster.node_pools):
        yield ("nodePools", number, "disks"), pool.name, pool.disks


def check_mounts(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG224: a mount that hides what is needed. IG225: a disk or a place twice."""
    for path, _role, disks in _groups(cluster):
        seen: set[str] = set()
        for number, disk in enumerate(disks):
            hidden = [needed for needed in _NEEDED if PurePosixPath(needed).is_relative_to(disk.mount_path)]
            if hidden:
                yield Diagnostic(
                    code="IG224",
                    message=f"a disk mounted on {disk.mount_path} hides {', '.join(hidden)} of the image",
                    hint="mount it deeper, or on another path",
                    path=(*path, number, "mountPath"),
                )
            for key, value in (("device", disk.device), ("mountPath", disk.mount_path)):
                if value in seen:
                    message = f"{value} stands twice among these disks"
                    yield Diagnostic(code="IG225", message=message, path=(*path, number, key))
                seen.add(value)


def check_hidden_files(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG226: a file below a mount: cloud-init writes files before it mounts disks."""
    for _path, role, disks in _groups(cluster):
        for number, file in enumerate(cluster.files):
            mounted = [disk for disk in disks if PurePosixPath(file.path).is_relative_to(disk.mount_path)]
            if mounted and (not file.roles or role in file.roles):
                yield Diagnostic(
                    code="IG226",
                    message=f"`{file.path}` would be hidden by the disk on {mounted[0].mount_path} ({role})",
                    hint="cloud-init writes files before it mounts disks",
                    path=("files", number, "path"),
                )
