"""What a shell offers where a word is being typed; without an answer it offers files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import typer

from imagegen import assets
from imagegen.bundle import CONTROL_PLANE


def complete_pools(context: typer.Context, incomplete: str) -> list[str]:
    """The pools of the spec that stands on the command line."""
    return _starting([CONTROL_PLANE, *_pools(context)], incomplete)


def complete_roles(context: typer.Context, incomplete: str) -> list[str]:
    """The roles of the spec that stands on the command line."""
    planes = ("control-plane-init", "control-plane-join")
    return _starting([*planes, *(f"worker-{name}" for name in _pools(context))], incomplete)


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
    """Names of the pools as far as the spec can be read: it may be half written."""
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
        cluster = documents.cluster if documents else None
        return [pool["name"] for pool in cluster.data["nodePools"]] if cluster else []
    except (OSError, ValueError, KeyError, TypeError):
        return []
