"""All that decides what is in an image, by name; the fingerprint is a hash of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256

from imagegen.filetree import FileTree
from imagegen.lock import locked_contents
from imagegen.plan import ImagePlan

# Folders and files of the emitted folder, by what a person calls them. What is not here steers Packer on the build
# host, and leaves no trace in the image.
_PARTS = {
    "scripts": ("scripts/", "build.pkr.hcl"),
    "checks": ("verify/",),
    "first boot": ("files/usr/local/lib/imagegen/firstboot/",),
    "files": ("files/",),
    "hooks": ("hooks/",),
}


def contents_of(plan: ImagePlan, tree: FileTree) -> Mapping[str, str]:
    """What is in the image: versions and names as they are, files as a hash of each part."""
    said = {
        "name": plan.name,
        "kubernetes": plan.kubernetes_version,
        "os": plan.os,
        "architecture": plan.architecture,
        "base": " ".join(builder.base for builder in plan.builders if builder.base),
        "disk": " ".join(f"{builder.key} {builder.disk_gib} GiB" for builder in plan.builders),
        "source": plan.supply.source,
        "bundle": _bundle(plan),
        "runtime": f"containerd {plan.runtime.version}",
        "sandbox image": plan.sandbox_image,
        "cni": f"{plan.cni} {plan.cni_manifest.version}" if plan.cni_manifest else plan.cni,
        "packages": " ".join((*plan.packages, *plan.held)),
        "repositories": " ".join(repository.url for repository in plan.supply.repositories.values()),
        "images": " ".join(plan.further_images) if plan.supply.prepull else "",
        "programs": " ".join((*plan.kubernetes_binaries, *plan.runtime.binaries, *plan.cni_plugins)),
        "units": " ".join((*plan.enabled_units, *(f"-{unit}" for unit in plan.masked_units))),
        "settings": json.dumps(dict(plan.settings), sort_keys=True),
    }
    return said | _hashes(tree) | _locked(plan, said)


def fingerprint_of(contents: Mapping[str, str]) -> str:
    """SHA-256 over the contents."""
    return sha256(json.dumps(dict(contents), sort_keys=True).encode()).hexdigest()


def _locked(plan: ImagePlan, said: Mapping[str, str]) -> dict[str, str]:
    if plan.lock is None:
        return {}
    # A package may have the name of something else that is said.
    taken = {*said, *_PARTS, "fingerprint"}
    locked = locked_contents(plan.lock, plan.architecture)
    return {f"{name} (locked)" if name in taken else name: version for name, version in locked}


def _hashes(tree: FileTree) -> dict[str, str]:
    digests = {name: sha256() for name in _PARTS}
    for path, file in tree:
        name = next((name for name, starts in _PARTS.items() if path.startswith(starts)), None)
        if name is not None:
            digests[name].update(f"{path} {file.mode:o} {file.digest}\n".encode())
    return {name: digest.hexdigest() for name, digest in digests.items()}


def _bundle(plan: ImagePlan) -> str:
    return (plan.supply.bundle_sha256 or "not pinned") if plan.supply.is_offline else "none"
