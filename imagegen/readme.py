"""The README of an output folder: what each file is, and what to do with it, in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from imagegen.plan import ClusterPlan, ImagePlan, RoleKind, RolePlan, StockPlan

_TEXT = """\
# {name}: Kubernetes {version}

Made by imagegen. `user-data/`, `nocloud/` and `images/*/packer/build-key` hold secrets: their files are readable by
their owner alone, and belong in no repository.

1. {made}
2. **Start the machines** from their image, all at once if you like, each with the user-data of its role:

{roles}
{nodes}{metadata}
3. **Reach the cluster:** `imagegen kubeconfig SPEC` writes an admin kubeconfig, without asking any machine.
4. **Look after it:** `imagegen runbook SPEC` writes pages into `runbook/` that say what to run: to check it, to add and
   remove nodes, for tokens, certificates, upgrades.

A machine's console says how far it is: lines that begin with `imagegen:`.

`manifest.json` lists every file with its size and SHA-256, and each image's fingerprint.
"""

_BAKE = """\
**Bake {images}.** With Packer 1.7 or newer, in {its} folder:

       cd images/{image}/packer
       packer init .
       packer build -only='imagegen.{builder}.node' {variables}.

{supplies}
"""

_STOCK = """\
**Nothing is baked for {images}.** Its machines boot a public image of {os} ({architecture}) and install themselves on
   their first boot.
{supplies}
"""

_SERVE = """\
   Before that, serve `images/{image}/stock/{file}` to them as
   {url} . It holds no secrets, and user-data has its SHA-256.
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
    RoleKind.CONTROL_PLANE: "every control plane, all alike; {first} starts the cluster, the others join it",
    RoleKind.WORKER: "workers of the pool {pool}",
}


def render_readme(plan: ClusterPlan, stocks: Mapping[str, StockPlan]) -> str:
    """The page as Markdown; `stocks` by the name of their image."""
    suffix = "yaml" if plan.delivery.encoding == "plain" else "yaml` (or, through the API, its `.base64"
    close = "" if plan.delivery.encoding == "plain" else ")"
    roles = "\n".join(
        f"   * {_who(role)}: image `{role.image}`, `user-data/{role.name}.{suffix}`{close}" for role in plan.roles
    )
    names = ", ".join(f"`{node.name}` ({node.role})" for node in plan.nodes)
    tokens = plan.delivery.http_tokens
    return _TEXT.format(
        name=plan.name,
        version=plan.kubernetes_version,
        made="   ".join(_made(plan, stocks)).rstrip("\n"),
        roles=roles,
        nodes=_NODES.format(names=names) if names else "",
        metadata=_METADATA.format(tokens=tokens) if tokens else "",
    )


def _who(role: RolePlan) -> str:
    return _WHO[role.kind].format(pool=role.pool, first=" or ".join(f"`{item}`" for item in role.first_node))


def _made(plan: ClusterPlan, stocks: Mapping[str, StockPlan]) -> list[str]:
    baked = [image for image in plan.images if not image.stock]
    texts = [_bake(baked)] if baked else []
    return texts + [_stock(image, stocks[image.name]) for image in plan.images if image.stock]


def _bake(images: Sequence[ImagePlan]) -> str:
    offline = any(image.supply.is_offline and not image.supply.bundle_url for image in images)
    return _BAKE.format(
        variables="-var bundle_dir=/path/to/bundle " if offline else "",
        supplies=_supplies(images),
        image=images[0].name,
        images=" and ".join(f"`{image.name}`" for image in images),
        its="its" if len(images) == 1 else "each one's",
        builder=images[0].builders[-1].type,
    )


def _stock(image: ImagePlan, stock: StockPlan) -> str:
    text = _STOCK.format(
        images=f"`{image.name}`",
        os=image.os,
        architecture=image.architecture,
        supplies=_supplies([image]),
    )
    if stock.url:
        text += _SERVE.format(image=image.name, file=stock.name, url=f"{stock.url}/{stock.name}")
    return text


def _supplies(images: Sequence[ImagePlan]) -> str:
    lines = [_supply(image).format(name=f"`{image.name}`") for image in images]
    strange = [f"`{image.name}` ({image.os}, {image.architecture})" for image in images if not image.booted]
    return "\n".join([*lines, *([_NOT_BOOTED.format(names=", ".join(strange))] if strange else [])])


def _supply(image: ImagePlan) -> str:
    if image.supply.bundle_url:
        return f"   {{name}} is made of the offline bundle at {image.supply.bundle_url} , which the machine downloads."
    return _SUPPLIES[image.supply.source]
