"""Gives kube-vip's static pod what only this machine knows, and the credentials that there are just then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bootstrap import yamlfile
from bootstrap.boot import Boot
from bootstrap.reasons import Note

MANIFEST, VOLUME, INTERFACE = "kube-vip.yaml", "kubeconfig", "vip_interface"
PUBLIC = 0o644


def place(boot: Boot) -> None:
    """Names the interface of the node's address, on which the virtual one is to lie; kube-vip takes another else."""

    def name_interface(spec: dict[str, Any]) -> None:
        environment = spec["containers"][0]["env"]
        environment[:] = [item for item in environment if item["name"] != INTERFACE]
        environment.append({"name": INTERFACE, "value": boot.link})

    _edit(boot, name_interface)


def lend(boot: Boot) -> None:
    """On the machine that starts the cluster: admin.conf may do nothing yet, until kubeadm has bound its group."""
    if boot.node.kube_vip_init:
        _use(boot, boot.node.kube_vip_init)


def give_back(boot: Boot) -> Note:
    """The kubelet starts the pod anew: the virtual address is gone for some seconds."""
    _use(boot, "/etc/kubernetes/admin.conf")
    return Note("", "kube-vip goes on with admin.conf")


def _use(boot: Boot, kubeconfig: str) -> None:
    def mount(spec: dict[str, Any]) -> None:
        for volume in spec["volumes"]:
            if volume["name"] == VOLUME:
                volume["hostPath"]["path"] = kubeconfig

    _edit(boot, mount)


def _edit(boot: Boot, change: Callable[[dict[str, Any]], None]) -> None:
    path = boot.paths.kubernetes / "manifests" / MANIFEST
    if not path.exists():
        return
    documents = yamlfile.read(path)
    change(documents[0]["spec"])
    yamlfile.write(path, documents, PUBLIC)
