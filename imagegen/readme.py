"""The README of an output folder: what each file is, and what to do with it, in order."""

from __future__ import annotations

from imagegen.plan import ClusterPlan, RoleKind

_TEXT = """\
# {name}: Kubernetes {version}

Made by imagegen. `user-data/`, `nocloud/` and `images/*/packer/build-key` hold secrets: their files are readable by
their owner alone, and belong in no repository.

1. **Bake {images}.** With Packer 1.7 or newer, in {its} folder:

       cd images/{image}/packer
       packer init .
       packer build -only='imagegen.{builder}.node' {variables}.

{supplies}
2. **Start the machines** from their image, all at once if you like, each with the user-data of its role:

{roles}
{nodes}{metadata}
3. **Reach the cluster:** `imagegen kubeconfig SPEC` writes an admin kubeconfig, without asking any machine.

A machine's console says how far it is: lines that begin with `imagegen:`.

`manifest.json` lists every file with its size and SHA-256, and each image's fingerprint.
"""

_SUPPLIES = {
    "bundle": "   `bundle_dir` is the offline bundle that {name} is made of.",
    "packages": "   {name} is made of packages of the vendors' and the distribution's repositories, signed by them.",
    "binaries": "   {name} is made of the files that `lock.json` beside the templates lists.",
}
_NOT_BOOTED = (
    "   **Not booted:** {names}. No image like that is known to have become a node; boot one before you trust it."
)

_NODES = """
   Machines with a fixed address read a NoCloud seed: the three files of `nocloud/<node>/` on a volume with the label
   `cidata`, or in `/var/lib/cloud/seed/nocloud/`: {names}.
"""

_METADATA = """
   Start all of them with `HttpTokens={tokens}`: the spec says so (`provider.metadataOptions`).
"""

_WHO = {
    RoleKind.CONTROL_PLANE_INIT: "the first control plane, exactly one machine",
    RoleKind.CONTROL_PLANE_JOIN: "every further control plane, if there are any",
    RoleKind.WORKER: "workers of the pool {pool}",
}


def render_readme(plan: ClusterPlan) -> str:
    """The page as Markdown."""
    suffix = "yaml" if plan.delivery.encoding == "plain" else "yaml` (or, through the API, its `.base64"
    close = "" if plan.delivery.encoding == "plain" else ")"
    roles = "\n".join(
        f"   * {_WHO[role.kind].format(pool=role.pool)}: image `{role.image}`, `user-data/{role.name}.{suffix}`{close}"
        for role in plan.roles
    )
    images = [image.name for image in plan.images]
    offline = any(image.supply.is_offline for image in plan.images)
    names = ", ".join(f"`{node.name}` ({node.role})" for node in plan.nodes)
    tokens = plan.delivery.http_tokens
    return _TEXT.format(
        name=plan.name,
        version=plan.kubernetes_version,
        image=images[0],
        images=" and ".join(f"`{name}`" for name in images),
        its="its" if len(images) == 1 else "each one's",
        variables="-var bundle_dir=/path/to/bundle " if offline else "",
        supplies=_supplies(plan),
        builder=plan.images[0].builders[-1].type,
        roles=roles,
        nodes=_NODES.format(names=names) if names else "",
        metadata=_METADATA.format(tokens=tokens) if tokens else "",
    )


def _supplies(plan: ClusterPlan) -> str:
    lines = [_SUPPLIES[image.supply.source].format(name=f"`{image.name}`") for image in plan.images]
    strange = [f"`{image.name}` ({image.os}, {image.architecture})" for image in plan.images if not image.booted]
    return "\n".join([*lines, *([_NOT_BOOTED.format(names=", ".join(strange))] if strange else [])])
