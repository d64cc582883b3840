"""The README of an output folder: what each file is, and what to do with it, in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from imagegen.plan import ClusterPlan, ImagePlan, RoleKind, StockPlan

_TEXT = """\
# {name}: Kubernetes {version}

Made by imagegen. `user-data/`, `nocloud/` and `images/*/packer/build-key` hold secrets: their files are readable by
their owner alone, and belong in no repository.

1. {made}
2. **Start the machines** from their image, all at once if you like, each with the user-data of its role:

{roles}
{nodes}{metadata}
3. **Reach the cluster:** `imagegen kubeconfig SPEC` writes an admin kubeconfig, without asking any machine.

A machine's console says how far it is: lines that begin with `imagegen:`.

`manifest.json` lists every file with its size and SHA-256, and each image's fingerprint.
"""

_BAKE = """\
**Bake {images}.** With Packer 1.7 or newer, in {its} folder:

       cd images/{image}/packer
       packer init .
       packer build -only='imagegen.{builder}.node' -var bundle_dir=/path/to/bundle .

   `bundle_dir` is the offline bundle that the image is made of.
"""

_STOCK = """\
**Nothing is baked for {images}.** Its machines boot a public image of {os} ({architecture}) and install themselves on
   their first boot{from_where}.
"""

_SERVE = """\
   Before that, serve `images/{image}/stock/{file}` to them as
   {url} . It holds no secrets, and user-data has its SHA-256.
"""

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


def render_readme(plan: ClusterPlan, stocks: Mapping[str, StockPlan]) -> str:
    """The page as Markdown; `stocks` by the name of their image."""
    suffix = "yaml" if plan.delivery.encoding == "plain" else "yaml` (or, through the API, its `.base64"
    close = "" if plan.delivery.encoding == "plain" else ")"
    roles = "\n".join(
        f"   * {_WHO[role.kind].format(pool=role.pool)}: image `{role.image}`, `user-data/{role.name}.{suffix}`{close}"
        for role in plan.roles
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


def _made(plan: ClusterPlan, stocks: Mapping[str, StockPlan]) -> list[str]:
    baked = [image for image in plan.images if not image.stock]
    texts = [_bake(plan, baked)] if baked else []
    return texts + [_stock(image, stocks[image.name]) for image in plan.images if image.stock]


def _bake(plan: ClusterPlan, images: Sequence[ImagePlan]) -> str:
    return _BAKE.format(
        image=images[0].name,
        images=" and ".join(f"`{image.name}`" for image in images),
        its="its" if len(images) == 1 else "each one's",
        builder="alicloud-ecs" if plan.delivery.provider == "alicloud" else "qemu",
    )


def _stock(image: ImagePlan, stock: StockPlan) -> str:
    text = _STOCK.format(
        images=f"`{image.name}`",
        os=image.os,
        architecture=image.architecture,
        from_where=f", with the offline bundle at {image.bundle_url}" if image.bundle_url else "",
    )
    if stock.url:
        text += _SERVE.format(image=image.name, file=stock.name, url=f"{stock.url}/{stock.name}")
    return text
