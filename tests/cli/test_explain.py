"""Codes explained, defaults written out."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.support.specs import render, run, spec


def test_a_code() -> None:
    result = run("explain", "ig204")
    assert result.stdout.startswith("IG204: two address ranges overlap\n")


def test_an_unknown_code() -> None:
    assert run("explain", "IG999").exit_code == 1


def test_a_spec_with_its_defaults_is_the_same_spec(tmp_path: Path) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_text(yaml.safe_dump(spec()))
    explained = yaml.safe_load(run("explain", path).stdout)
    assert explained["network"]["podCIDR"] == "10.244.0.0/16"
    assert explained["network"]["kubeProxy"]["mode"] == "nftables"
    assert explained["image"]["qemu"]["source"].endswith("amd64.qcow2")
    whole, short = render(explained), render(spec())
    assert list(whole.tree) == list(short.tree)


def test_explaining_twice_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_text(yaml.safe_dump(spec()))
    once = run("explain", path).stdout
    path.write_text(once)
    assert run("explain", path).stdout == once


def test_images_are_explained_with_their_cluster(tmp_path: Path) -> None:
    path = tmp_path / "cluster.yaml"
    image = {"apiVersion": "imagegen/v1alpha1", "kind": "Image", "metadata": {"name": "node"}, "os": "debian-13"}
    cluster = spec(imageRef="node")
    del cluster["image"]
    path.write_text(yaml.safe_dump_all([cluster, image]))
    once = run("explain", path).stdout
    assert list(yaml.safe_load_all(once))[1]["kubernetes"] == {"version": cluster["kubernetes"]["version"]}
    path.write_text(once)
    assert run("explain", path).stdout == once
