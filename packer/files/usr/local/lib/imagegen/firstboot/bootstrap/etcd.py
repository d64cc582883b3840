"""Whether this disk holds a member of the cluster's database."""

from __future__ import annotations

from pathlib import Path

from bootstrap import wal, yamlfile
from bootstrap.boot import MAIN_CONFIG, Boot
from bootstrap.kubeadmfile import ETCD_DATA, KubeadmFile

VOLUME = "etcd-data"
# What etcd's database says of each member that it has learnt of (server/storage/schema/membership.go).
_MEMBER = b'"peerURLs"'


def data_folder(boot: Boot) -> str:
    """Where the cluster's configuration puts etcd's data; a node that joins is not told."""
    settled = boot.paths.work / MAIN_CONFIG
    return KubeadmFile.read(settled).etcd_data if settled.exists() else ETCD_DATA


def has_member(boot: Boot) -> bool:
    """True as soon as etcd has written anything of its own."""
    return bool(_members(boot))


def stillborn(boot: Boot) -> list[Path]:
    """The member, if it has started a cluster of its own and ended before it had voted for itself; else nothing.

    It starts again with nobody to vote for, for ever. A log without a vote has promised nothing to anybody.
    """
    members = _members(boot)
    return members if all(wal.is_blank(member / "wal") and _knows_nobody(member) for member in members) else []


def _knows_nobody(member: Path) -> bool:
    database = member / "snap/db"
    return not database.exists() or _MEMBER not in database.read_bytes()


def _members(boot: Boot) -> list[Path]:
    folders = {ETCD_DATA, data_folder(boot), *_mounted_folders(boot)}
    members = (boot.paths.at(folder) / "member" for folder in sorted(folders))
    return [member for member in members if member.exists()]


def _mounted_folders(boot: Boot) -> list[str]:
    """The data folder in the manifest that kubeadm wrote from the cluster's own configuration."""
    manifest = boot.paths.kubernetes / "manifests" / "etcd.yaml"
    try:
        volumes = yamlfile.read(manifest)[0]["spec"]["volumes"]
        return [str(volume["hostPath"]["path"]) for volume in volumes if volume["name"] == VOLUME]
    except (OSError, ValueError, LookupError, TypeError):
        return []
