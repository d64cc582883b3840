"""Documents made of the JSON Schema alone: whatever it allows, and a rule may still refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as some
from jsonschema import Draft202012Validator

from imagegen import assets

SHARED: dict[str, Any] = assets.schema()["$defs"]
TEXT = some.text(max_size=12)
FORMATS = {
    "cidr": some.sampled_from(
        ["10.0.0.0/8", "192.168.0.0/24", "10.244.0.0/16", "fd00::/64", "0.0.0.0/0", "10.0.0.1/32"]
    ),
    "address": some.sampled_from(["192.168.0.1", "10.0.0.1", "fd00::1", "::", "255.255.255.255"]),
    "endpoint": some.sampled_from(["192.168.0.242:6443", "api.example.com:1", "[fd00::1]:65535", "10.96.0.1:443"]),
    "hostname": some.sampled_from(["cluster.local", "a", "x.y.z", "1.2.3.4"]),
}
# What makes most documents go further than the first rule; everything else is left to chance.
LIKELY = {"version": ["1.37.2", "1.36.3", "1.30.14", "1.24.0", "1.99.0"], "os": ["debian-12", "debian-13"]}


def documents(kind: str) -> some.SearchStrategy[Any]:
    """Documents of a kind."""
    return _valid(SHARED[kind], "")


def tamed(cluster: dict[str, Any]) -> dict[str, Any]:
    """The same with what chance never gets right: ranges that are apart, an endpoint, an image, pools of own names."""
    plane = cluster["controlPlane"]
    ranges = {"nodeCIDRs": ["192.168.0.0/16"], "podCIDR": "10.244.0.0/16", "serviceCIDR": "10.96.0.0/12"}
    pools = [
        {**{key: pool[key] for key in _FREE & pool.keys()}, "name": f"pool{number}"}
        for number, pool in enumerate(cluster.get("nodePools", []))
    ]
    free = {key: value for key, value in cluster.items() if key not in {"extends", "imageRef", "files", "kubelet"}}
    return {
        **free,
        "kubernetes": {**cluster["kubernetes"], "version": "1.37.2"},
        "provider": {"type": cluster["provider"]["type"], "region": "cn-hangzhou"},
        "image": {"os": "debian-12"},
        "network": {**cluster["network"], **ranges, "vpcCIDRs": [], "kubeProxy": {}},
        "controlPlane": {**{key: plane[key] for key in _PLANE & plane.keys()}, "endpoint": "192.168.0.242:6443"},
        "nodePools": pools,
        "hooks": {},
        "kubeadm": {},
    }


_FREE = {"labels", "taints", "replicas"}
_PLANE = {"auditPolicy", "encryptSecrets", "certSANs"}


def _valid(node: dict[str, Any], name: str) -> some.SearchStrategy[Any]:
    if "$ref" in node:
        target = SHARED[node["$ref"].rpartition("/")[2]]
        own = {key: value for key, value in node.items() if key != "$ref"}
        made = _valid({**target, **own}, name)
        # What stands beside a reference is no other wish in its place: both hold.
        return made.filter(_judge(target)) if own.keys() & target.keys() & {"additionalProperties", "pattern"} else made
    if "const" in node:
        return some.just(node["const"])
    if "enum" in node:
        return some.sampled_from(node["enum"])
    if name in LIKELY:
        return some.sampled_from(LIKELY[name])
    return _KINDS[node.get("type", "string")](node)


def _judge(node: dict[str, Any]) -> Callable[[Any], bool]:
    return Draft202012Validator({**node, "$defs": SHARED}).is_valid


def _string(node: dict[str, Any]) -> some.SearchStrategy[Any]:
    if "format" in node:
        return FORMATS[node["format"]]
    if "pattern" in node:
        pattern = some.from_regex(node["pattern"], fullmatch=node["pattern"].startswith("^"))
        # A regular expression of Python's allows a line end behind `$`.
        long = range(node.get("minLength", 0), node.get("maxLength", 60) + 1)
        short = pattern.filter(lambda text: len(text) in long and not text.endswith("\n"))
        return some.one_of(some.sampled_from(node["examples"]), short) if "examples" in node else short
    return some.text(min_size=node.get("minLength", 0), max_size=40)


def _array(node: dict[str, Any]) -> some.SearchStrategy[Any]:
    unique = (lambda item: json.dumps(item, sort_keys=True)) if node.get("uniqueItems") else None
    items = _valid(node.get("items", {}), "")
    return some.lists(items, min_size=node.get("minItems", 0), max_size=3, unique_by=unique)


def _object(node: dict[str, Any]) -> some.SearchStrategy[Any]:
    if set(node.get("required", [])) - node.get("properties", {}).keys():
        # What such a key holds is somebody else's format.
        return some.sampled_from(node["examples"])
    known = {key: _valid(child, key) for key, child in node.get("properties", {}).items()}
    required = {key: known.pop(key) for key in node.get("required", []) if key in known}
    fixed = some.fixed_dictionaries(required, optional=known)
    more = node.get("additionalProperties", True)
    if more is False:
        return fixed
    keys = _valid({"type": "string", **node["propertyNames"]}, "") if "propertyNames" in node else TEXT
    values = _valid(more, "") if isinstance(more, dict) else some.one_of(TEXT, some.integers(), some.booleans())
    others = some.dictionaries(keys, values, max_size=2)
    return some.builds(lambda usual, further: {**further, **usual}, fixed, others)


_KINDS = {
    "string": _string,
    "integer": lambda node: some.integers(node.get("minimum"), node.get("maximum")),
    "boolean": lambda _: some.booleans(),
    "array": _array,
    "object": _object,
}
