"""The spec's reference page, made of its JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

_HEAD = """\
# The spec

Made from `schemas/cluster-v1alpha1.schema.json` by `imagegen schema --format markdown`. `[]` stands for each item of a
list. **Bold** keys are needed wherever what they stand in is given.

A file holds one Cluster document, and beside it, or in a file that it extends, any number of Image documents.

## Cluster

| Key | Type | Default | What it says |
|---|---|---|---|
"""
_IMAGES = """
## Image

An image of its own, for pools with another architecture or system, for a canary, or for many clusters to share:
`imageRef` names it.

| Key | Type | Default | What it says |
|---|---|---|---|
"""


def render_reference(schema: Mapping[str, Any]) -> str:
    """The page as Markdown: a line for each property, in the schema's order."""
    shared = schema["$defs"]
    return _HEAD + "".join(_rows(shared["Cluster"], shared, "")) + _IMAGES + "".join(_rows(shared["Image"], shared, ""))


def _rows(node: Mapping[str, Any], shared: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for name, written in node.get("properties", {}).items():
        child = _resolved(written, shared)
        path = f"{prefix}{name}"
        shown = f"**`{path}`**" if name in node.get("required", ()) else f"`{path}`"
        yield f"| {shown} | {_type(child, shared)} | {_default(child)} | {_text(child)} |\n"
        yield from _rows(child, shared, f"{path}.")
        if isinstance(child.get("items"), dict):
            yield from _rows(_resolved(child["items"], shared), shared, f"{path}[].")


def _resolved(node: Mapping[str, Any], shared: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**shared[node["$ref"].rpartition("/")[2]], **node} if "$ref" in node else node


def _type(node: Mapping[str, Any], shared: Mapping[str, Any]) -> str:
    if "const" in node:
        return f"`{node['const']}`"
    if "enum" in node:
        return ", ".join(f"`{value}`" for value in node["enum"])
    if node.get("type") == "array":
        return f"list of {_type(_resolved(node.get('items', {}), shared), shared)}"
    if node.get("type") == "object":
        return "mapping"
    return str(node.get("format") or node.get("type", "anything"))


def _default(node: Mapping[str, Any]) -> str:
    return f"`{json.dumps(node['default'])}`" if "default" in node else ""


def _text(node: Mapping[str, Any]) -> str:
    # Long examples (certificates, whole mappings) belong into examples/.
    example = json.dumps(node["examples"][0]) if node.get("examples") and node.get("type") != "object" else ""
    shown = f" Example: `{example}`." if 0 < len(example) <= _LONGEST_EXAMPLE else ""
    return f"{node['description']}{shown}".replace("|", "\\|")


_LONGEST_EXAMPLE = 60
