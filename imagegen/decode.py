"""Data that passed the schema becomes a spec; camelCase keys become fields."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from functools import cache
from ipaddress import ip_address, ip_network
from typing import Any, Union, get_args, get_origin, get_type_hints

from imagegen import spec


def decode_cluster(data: Mapping[str, Any], images: Mapping[str, Mapping[str, Any]]) -> spec.Cluster:
    """Make a spec of documents that the schema gate let pass; anything else is a bug and raises `TypeError`."""
    cluster = _decode(spec.Cluster, data)
    if not isinstance(cluster, spec.Cluster):
        raise TypeError("the data is no cluster")
    return replace(cluster, images={name: _decode(spec.Image, image) for name, image in images.items()})


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _decode(kind: Any, value: Any) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in (spec.Address, spec.Network):
        return (ip_address if kind == spec.Address else ip_network)(value)
    if origin in (Union, types.UnionType):
        return _decode_union(arguments, value)
    if origin is tuple:
        return tuple(_decode(arguments[0], item) for item in value)
    if origin is not None:
        return dict(value)
    if is_dataclass(kind) and isinstance(kind, type):
        return _decode_dataclass(kind, value)
    return kind(value) if isinstance(kind, type) and issubclass(kind, Enum) else value


def _decode_union(arguments: tuple[Any, ...], value: Any) -> Any:
    if value is None:
        return None
    remaining = tuple(argument for argument in arguments if argument is not type(None))
    if set(remaining) == set(get_args(spec.Address)):
        return ip_address(value)
    return _decode(remaining[0], value)


def _decode_dataclass(kind: Any, value: Mapping[str, Any]) -> Any:
    hints = _hints(kind)
    known = {entry.name for entry in fields(kind)}
    arguments = {spec.field_name(key): item for key, item in value.items()}
    if unknown := sorted(arguments.keys() - known):
        raise TypeError(f"{kind.__name__} has no {', '.join(unknown)}")
    return kind(**{name: _decode(hints[name], item) for name, item in arguments.items()})
