"""Whether this disk holds a member of the cluster's database."""

from __future__ import annotations

from bootstrap import yamlfile
from bootstrap.boot import MAIN_CONFIG, Boot
from bootstrap.kubeadmfile import ETCD_DATA, KubeadmFile

VOLUME = "etcd-data"


def data_folder(boot: Boot) -> str:
    """Where the cluster's configuration puts etcd's data; a node that joins is not told."""
    settled = boot.paths.work / MAIN_CONFIG
    return KubeadmFile.read(settled).etcd_data if settled.exists() else ETCD_DATA


def has_member(boot: Boot) -> bool:
    """True as soon as etcd has written anything of its own."""
    folders = {ETCD_DATA, data_folder(boot), *_mounted_folders(boot)}
    return any((boot.paths.at(folder) / "member").exists() for folder in folders)


def _mounted_folders(boot: Boot) -> list[str]:
    """The data folder in the manifest that kubeadm wrote from the cluster's own configuration."""
    manifest = boot.paths.kubernetes / "manifests" / "etcd.yaml"
    try:
        volumes = yamlfile.read(manifest)[0]["spec"]["volumes"]
        return [str(volume["hostPath"]["path"]) for volume in volumes if volume["name"] == VOLUME]
    except (OSError, ValueError, LookupError, TypeError):
        return []
