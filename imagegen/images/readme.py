"""The README of an emitted image folder."""

from __future__ import annotations

from imagegen.plan import ImagePlan

_TEXT = """\
# {name}: Kubernetes {kubernetes} on {os} ({architecture})

Made by imagegen; plain Packer bakes it, with nothing of imagegen on the machine that does:

    packer init .
    packer build -only='imagegen.BUILDER.node' {variables}.

{supply}

{booted}

`variables.pkr.hcl` describes each variable. `report.json` (every check that was made) and Packer's `manifest.json` come
beside this file.
"""
_SUPPLY = {
    "bundle": "Everything comes from the offline bundle; the building machine has no network under QEMU.",
    "packages": """Packages come from the vendors' and the distribution's repositories, each signed by its owner; the \
keys are compared
with the fingerprints that are planned here, and neither they nor the repositories stay in the image.""",
    "binaries": "The files of the vendors' releases come by `lock.json`: one that has another SHA-256 stops the bake.",
}
_LOCKED = "Where `lock.json` lies beside the templates, every file that it lists is held against it."
_BOOTED = {
    True: "Booted: such an image, of this system and architecture and from a bundle, is known to have become a node.",
    False: "**Not booted**: no image of this system, architecture and source is known to have become a node.",
}


def describe_folder(plan: ImagePlan) -> str:
    """The page as Markdown."""
    offline = plan.supply.is_offline
    supply = _SUPPLY[plan.supply.source]
    return _TEXT.format(
        name=plan.name,
        kubernetes=plan.kubernetes_version,
        os=plan.os,
        architecture=plan.architecture,
        variables="-var bundle_dir=/path/to/bundle " if offline else "",
        supply=supply if offline else f"{supply} {_LOCKED}",
        booted=_BOOTED[plan.booted],
    )
