"""Times of nodes are read from the API's list."""

from __future__ import annotations

from typing import Any

import pytest

from imagegen.booting.nodes import read_nodes


def listed(status: str) -> dict[str, Any]:
    condition = {"type": "Ready", "status": status, "lastTransitionTime": "2026-11-23T08:00:30Z"}
    return {
        "items": [
            {
                "metadata": {"name": "cp1", "creationTimestamp": "2026-11-23T08:00:10Z"},
                "status": {"conditions": [condition], "nodeInfo": {"kubeletVersion": "v1.37.2"}},
            }
        ]
    }


def test_a_ready_node_has_both_times() -> None:
    node = read_nodes(listed("True"))["cp1"]
    assert node.ready is not None
    assert (node.ready - node.joined, node.version) == (20.0, "v1.37.2")


@pytest.mark.parametrize("status", ["False", "Unknown"])
def test_any_other_is_not_ready(status: str) -> None:
    assert read_nodes(listed(status))["cp1"].ready is None


def test_a_silent_api_has_none() -> None:
    assert read_nodes(None) == {}
