"""A spec becomes data again, with every default written out: the other direction of `decode`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any

from imagegen.spec import Cluster, field_name

_WRITTEN_AS_TEXT = (Enum, IPv4Address, IPv4Network, IPv6Address, IPv6Network)


def encode_cluster(cluster: Cluster, schema: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """The spec's documents as the schema orders them; what is neither given nor has a default is left out."""
    shared = schema["$defs"]
    images = (_encode(image, shared["Image"], shared) for image in cluster.images.values())
    return (_encode(cluster, shared["Cluster"], shared), *images)


def _encode(value: Any, node: Mapping[str, Any], shared: Mapping[str, Any]) -> Any:
    if "$ref" in node:
        node = {**shared[node["$ref"].rpartition("/")[2]], **node}
    if is_dataclass(value):
        fields = {key: getattr(value, field_name(key)) for key in node["properties"]}
        return {key: _encode(item, node["properties"][key], shared) for key, item in fields.items() if item is not None}
    if isinstance(value, tuple):
        return [_encode(item, node.get("items", {}), shared) for item in value]
    if isinstance(value, Mapping):
        return dict(value)
    return str(value) if isinstance(value, _WRITTEN_AS_TEXT) else value
