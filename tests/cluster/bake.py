"""The disk under test: baked by Packer, or, for a quick look only, by the same scripts in an nspawn machine."""

import hashlib
import json
import os
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any

from imagegen.lab import lab
from tests.cluster import site
from tests.support.bake import baked_image, image_section
from tools import nspawn_bake
from tools.base import base
from tools.bundle import bundle
from tools.releases import NEWEST, Release

QUICK = os.environ.get("IMAGEGEN_BAKE") == "nspawn"
BUILDER = "nspawn" if QUICK else "qemu"


@dataclass(frozen=True, slots=True, kw_only=True)
class Baked:
    """A disk, the site that it was baked for, and what its stamp must say."""

    disk: Path
    site: site.Site
    fingerprint: str
    bundle_sha256: str


def bake(folder: Path) -> Baked:
    """Render the lab's spec and bake its image."""
    assert not (QUICK and os.environ.get("CI")), "in CI the disk under test is Packer's"
    sha256 = hashlib.sha256((bundle() / "bundle.json").read_bytes()).hexdigest()
    made = site.make(folder, image_section(), change=_with_serving_certificates)
    made.render()
    (packer,) = made.rendered.glob("images/*/packer")
    stamp = json.loads((packer / "files/etc/imagegen/image.json").read_text(encoding="utf-8"))
    baked = in_nspawn(packer, folder) if QUICK else _by_packer(made.spec, folder)
    return Baked(disk=baked, site=made, fingerprint=stamp["fingerprint"], bundle_sha256=sha256)


def _with_serving_certificates(template: dict[str, Any]) -> dict[str, Any]:
    """The lab's spec, with kubelets that show who they are and an API server that looks."""
    kubelet = {**template["kubelet"], "servingCertificates": {"approver": "imagegen"}}
    server = template["kubeadm"]["apiServer"]["extraArgs"]
    looking = {"extraArgs": {**server, "kubelet-certificate-authority": "/etc/kubernetes/pki/ca.crt"}}
    return {**template, "kubelet": kubelet, "kubeadm": {**template["kubeadm"], "apiServer": looking}}


def _by_packer(spec: Path, folder: Path) -> Path:
    return baked_image(spec, folder).disk


def in_nspawn(packer: Path, folder: Path, kubernetes: Release = NEWEST) -> Path:
    """Bake an emitted folder by its own scripts in an nspawn machine: half a minute, without Packer."""
    with lab.opened(folder, operator=IPv4Interface("10.79.0.1/24")) as opened:
        bake = nspawn_bake.prepared(
            opened, "bake", base=base().disk, bundle=bundle(kubernetes=kubernetes), packer=packer
        )
        bake.boot()
        bake.run_until(nspawn_bake.SEAL)
        return bake.finish(folder / "baked.raw")
