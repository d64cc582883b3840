"""What is checked on the machine when it is baked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from imagegen.filetree import FileTree
from imagegen.lock import FileKind
from imagegen.plan import ImagePlan

FILES = "files/"
STAMP = "/etc/imagegen/image.json"
CONNTRACK = "/etc/modules-load.d/imagegen-conntrack.conf"


def declare(plan: ImagePlan, tree: FileTree) -> dict[str, Any]:
    """What `verify/` looks for on the machine; each entry is what a script was told, too."""
    units = dict.fromkeys(plan.enabled_units, "enabled") | dict.fromkeys(plan.masked_units, "masked")
    binaries = {f"/usr/bin/{name}": plan.kubernetes_version for name in plan.kubernetes_binaries}
    binaries |= {f"{plan.runtime.folder}/{name}": "" for name in plan.runtime.binaries}
    # Of a bundle's programs, bundle.json vouches for the version.
    binaries |= {f"{plan.runtime.folder}/containerd": "" if plan.supply.is_offline else plan.runtime.version}
    binaries |= {f"/opt/cni/bin/{name}": "" for name in plan.cni_plugins}
    pulled = (plan.sandbox_image, *plan.further_images) if plan.supply.prepull else ()
    return {
        "family": plan.family,
        "modules": list(plan.modules),
        "sysctls": dict(plan.sysctls),
        "packages": [*plan.packages, *plan.held],
        "holds": list(plan.held),
        "binaries": binaries,
        "units": units,
        "files": {**dict(_declared_files(tree)), **_manifest(plan)},
        "images": [plan.sandbox_image] if plan.supply.is_offline else list(pulled),
        "settings": dict(plan.settings),
    }


def _manifest(plan: ImagePlan) -> dict[str, dict[str, str]]:
    """A network plugin's own, as the lock has it; without a lock, the bundle vouches for it."""
    if plan.cni_manifest is None:
        return {}
    files = plan.lock.provision(plan.architecture).files if plan.lock else ()
    locked = [{"sha256": file.sha256} for file in files if file.kind is FileKind.MANIFEST]
    return {plan.cni_manifest.target: {"mode": "0644", **(locked[0] if locked else {})}}


def _declared_files(tree: FileTree) -> Iterator[tuple[str, dict[str, str]]]:
    for path, file in tree:
        if path.startswith(FILES):
            target = f"/{path.removeprefix(FILES)}"
            mode = "0755" if any(part.endswith("bin") for part in target.split("/")[:-1]) else "0644"
            yield target, {"mode": mode, "sha256": file.digest}
    # The bake writes into the one when and by whom it was made, into the other what the kernel calls its module.
    yield STAMP, {"mode": "0644"}
    yield CONNTRACK, {"mode": "0644"}
