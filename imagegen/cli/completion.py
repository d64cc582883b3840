"""What a shell offers where a word is being typed; without an answer it offers files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import typer

from imagegen import assets
from imagegen.bundle import CONTROL_PLANE


def complete_pools(context: typer.Context, incomplete: str) -> list[str]:
    """The pools of the spec that stands on the command line."""
    return _starting([CONTROL_PLANE, *_pools(context)], incomplete)


def complete_roles(context: typer.Context, incomplete: str) -> list[str]:
    """The roles of the spec that stands on the command line."""
    shared = "shared" in _from_spec(context, lambda cluster: [cluster["controlPlane"].get("userData", "")])
    planes = (CONTROL_PLANE,) if shared else ("control-plane-init", "control-plane-join")
    return _starting([*planes, *(f"worker-{name}" for name in _pools(context))], incomplete)


def complete_nodes(context: typer.Context, incomplete: str) -> list[str]:
    """The nodes with a name in the spec that stands on the command line."""
    return _starting(_from_spec(context, _nodes), incomplete)


def complete_images(context: typer.Context, incomplete: str) -> list[str]:
    """The images of the spec that stands on the command line."""
    return _starting(_from_spec(context, _images), incomplete)


def complete_builders(incomplete: str) -> list[str]:
    """Packer's builders that there are settings for."""
    return _starting(assets.catalog().builders, incomplete)


def complete_codes(incomplete: str) -> list[str]:
    """Codes of diagnostics, once it is clear that no file is meant; in the letters that were begun with."""
    codes = assets.catalog().diagnostics if incomplete else ()
    return _starting((code.lower() if incomplete.islower() else code for code in codes), incomplete)


def complete_versions(incomplete: str) -> list[str]:
    """Versions of Kubernetes: a shell cannot know more than the newest of each minor."""
    return _starting((facts.newest for facts in assets.catalog().kubernetes.values()), incomplete)


def _starting(words: Iterable[str], incomplete: str) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]


def _pools(context: typer.Context) -> list[str]:
    return _from_spec(context, lambda cluster: [pool["name"] for pool in cluster["nodePools"]])


def _images(cluster: Mapping[str, Any]) -> list[str]:
    """What machines boot: the image of their own reference, of the cluster's, or the one that it describes."""
    own = cluster["image"].get("name", cluster["metadata"]["name"]) if "image" in cluster else None
    machines = (cluster, cluster["controlPlane"], *cluster.get("nodePools", ()))
    return list(filter(None, dict.fromkeys((own, *(machine.get("imageRef") for machine in machines)))))


def _nodes(cluster: Mapping[str, Any]) -> list[str]:
    machines = (cluster["controlPlane"], *cluster.get("nodePools", ()))
    return [node["name"] for machine in machines for node in machine.get("nodes", ())]


def _from_spec(context: typer.Context, find: Callable[[Mapping[str, Any]], list[str]]) -> list[str]:
    """Names in the spec as far as it can be read: it may be half written."""
    from imagegen.inheritance import load  # noqa: PLC0415  slow to import

    # With an option that still lacks its value, what stands before it is not told apart.
    words = (context.params.get("spec"), context.params.get("subject"), *context.args)
    spec = next((str(word) for word in words if word and Path(str(word)).is_file()), None)
    if spec is None:
        return []

    def read(name: str) -> str:
        return Path(name).read_text(encoding="utf-8")

    try:
        documents, _ = load(read(spec), spec, read)
        return find(documents.cluster.data) if documents and documents.cluster else []
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return []
