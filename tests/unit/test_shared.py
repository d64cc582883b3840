"""One user-data for all control planes, as it is rendered and told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from imagegen import assets
from tests.support.specs import render, run, spec
from tests.unit.test_userdata import files

THREE = [{"name": f"cp{number}", "address": f"192.168.0.{number}"} for number in (1, 2, 3)]


def shared(**changes: Any) -> dict[str, Any]:
    plane = {"endpoint": "api.example.com:6443", "nodes": THREE, "userData": "shared", **changes}
    return spec(controlPlane=plane)


@pytest.mark.parametrize(
    ("changes", "first"),
    [
        ({}, ["cp1", "192.168.0.1"]),
        ({"firstNode": "cp2"}, ["cp2", "192.168.0.2"]),
        ({"firstNode": "192.168.0.3"}, ["cp3", "192.168.0.3"]),
        ({"nodes": [], "firstNode": "api-1"}, ["api-1"]),
        ({"nodes": [], "firstNode": "192.168.0.9"}, ["192.168.0.9"]),
    ],
)
def test_a_node_is_told_which_one_is_the_first(changes: dict[str, Any], first: list[str]) -> None:
    node = json.loads(files(shared(**changes), "control-plane")["/etc/imagegen/node.json"])
    assert node["role"] == "control-plane"
    assert node["firstNode"] == first


def test_nobody_is_told_it_otherwise() -> None:
    for role in ("control-plane-init", "control-plane-join", "worker-workers"):
        assert "firstNode" not in json.loads(files(spec(), role)["/etc/imagegen/node.json"])
    assert "firstNode" not in files(shared(), "worker-workers")["/etc/imagegen/node.json"]


def test_it_has_both_ways_into_the_cluster() -> None:
    usual = spec(controlPlane={"endpoint": "api.example.com:6443", "nodes": THREE})
    first, one = files(usual, "control-plane-init"), files(shared(), "control-plane")
    assert [path for path in one if one[path] != first[path]] == ["/etc/imagegen/node.json"]
    assert set(one) == set(first)


def test_every_control_plane_is_started_with_it() -> None:
    rendering = render(shared())
    assert [artifact.role for artifact in rendering.artifacts] == ["control-plane", "worker-workers"]
    seeds = {rendering.tree[f"nocloud/{node['name']}/user-data"].content for node in THREE}
    assert seeds == {rendering.tree["user-data/control-plane.yaml"].content}
    page = rendering.tree["README.md"].content.decode()
    assert "every control plane, all alike; `cp1` or `192.168.0.1` starts the cluster, the others join it" in page
    assert "control-plane-init" not in page


def test_explain_tells_both_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("demo.yaml").write_text(yaml.safe_dump(shared()))
    result = run("explain", "demo.yaml", "--role", "control-plane", "--format", "json")
    assert result.exit_code == 0, result.stderr
    stages = {stage["name"]: stage["condition"] for stage in json.loads(result.stdout)["phases"]}
    assert list(stages) == [phase.name for phase in assets.phases() if not phase.hooks and not phase.setting]
    assert stages["admin"] is None
    assert {name: condition for name, condition in stages.items() if condition} == {
        "guard": "if it is the first",
        "endpoint": "if it joins",
        "turn": "if it joins",
        "etcd-member": "if it joins",
        "kubeadm-init": "if it starts the cluster",
        "kubeadm-join": "if it joins",
        "cni": "if it starts the cluster",
    }
    refused = run("explain", "demo.yaml", "--role", "control-plane-init")
    assert "known: control-plane, worker-workers" in refused.stderr
