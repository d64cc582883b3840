"""What the API says of the nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

LIST = "/api/v1/nodes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node's times, in seconds since 1970; no `ready`: it is not Ready."""

    name: str
    joined: float
    ready: float | None
    version: str


def read_nodes(data: Any) -> Mapping[str, Node]:
    """The nodes of a NodeList, by their names."""
    items = data.get("items", ()) if isinstance(data, dict) else ()
    nodes = (_read(item) for item in items)
    return {node.name: node for node in nodes}


def _read(item: Mapping[str, Any]) -> Node:
    status = item.get("status", {})
    ready: Mapping[str, Any] = next((each for each in status.get("conditions", ()) if each["type"] == "Ready"), {})
    return Node(
        name=item["metadata"]["name"],
        joined=_moment(item["metadata"]["creationTimestamp"]),
        ready=_moment(ready["lastTransitionTime"]) if ready.get("status") == "True" else None,
        version=status.get("nodeInfo", {}).get("kubeletVersion", ""),
    )


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
