"""Rules about images, and about who boots them."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from imagegen.catalog import Catalog
from imagegen.diagnostics import Diagnostic
from imagegen.spec import Cluster


def check_image_choice(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG229: an image twice over: `image` beside `imageRef`, or beside a document of the same name."""
    if cluster.image is None:
        return
    name = cluster.image.name or cluster.metadata.name
    faults = {
        "`image` and `imageRef` both say what nodes boot": cluster.image_ref is not None,
        f"`image` is named `{name}`, and so is an Image document": name in cluster.images,
    }
    for message in [message for message, fault in faults.items() if fault]:
        hint = "keep one of the two; image.name gives it another name"
        yield Diagnostic(code="IG229", message=message, hint=hint, path=("image",), on_key=True)


def check_references(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG230: machines without an image, or with one that there is not."""
    known = sorted(cluster.known_images)
    for place, name in cluster.references.items():
        if name is None:
            yield Diagnostic(
                code="IG230",
                message="nothing says which image these machines boot",
                hint="`image` describes one for all nodes; `imageRef` names an Image document",
                path=place,
                on_key=True,
            )
        elif name not in known:
            close = get_close_matches(name, known, n=1)
            own = (*place, "imageRef")
            hint = f"did you mean `{close[0]}`?" if close else f"known: {', '.join(known) or 'none'}"
            path = own if _refers(cluster, place) else ("imageRef",)
            yield Diagnostic(code="IG230", message=f"there is no Image document `{name}`", hint=hint, path=path)


def check_skew(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG231: an image whose Kubernetes does not go with the cluster's.

    A kubelet may lag behind, but kubeadm joins with the version that made the cluster (kubeadm's version skew policy).
    """
    images, own = cluster.known_images, cluster.kubernetes.version
    for place, name in cluster.references.items():
        if name is None or name not in images:
            continue
        version = cluster.version_of(images[name])
        starts = place == ("controlPlane",)
        if version == own or (not starts and version.rpartition(".")[0] == own.rpartition(".")[0]):
            continue
        need = f"start a cluster of {own}: it takes the same version"
        need = need if starts else f"join a cluster of {own}: it takes the same minor"
        yield Diagnostic(
            code="IG231",
            message=f"image `{name}` holds Kubernetes {version}, whose kubeadm cannot {need}",
            path=("kubernetes", "version"),
            image=name,
        )


def _refers(cluster: Cluster, place: tuple[str | int, ...]) -> bool:
    group = cluster.control_plane if place == ("controlPlane",) else cluster.node_pools[int(place[-1])]
    return group.image_ref is not None
