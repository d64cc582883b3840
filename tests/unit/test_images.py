"""The emitted image folder and its fingerprint."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
import yaml

from tests.support.specs import render, spec


def test_the_fingerprint_is_about_the_image_alone() -> None:
    usual = render(spec()).fingerprint
    same = spec(nodePools=[{"name": "gpu", "labels": {"a": "b"}}], bootstrap={"tokenTTL": "1h"})
    assert render(same).fingerprint == usual


@pytest.mark.parametrize(
    "change",
    [
        {"kubernetes": {"version": "1.37.1"}},
        {"kubernetes": {"imageRepository": "registry.aliyuncs.com/google_containers"}},
        {"image": {"bundle": {"sha256": "0" * 64}}},
        {"image": {"os": "debian-13"}},
        {"image": {"qemu": {"checksum": "sha256:" + "0" * 64}}},
        {"network": {"cni": "none"}},
    ],
    ids=str,
)
def test_what_goes_into_the_image_changes_the_fingerprint(change: dict[str, Any]) -> None:
    assert render(spec(**change)).fingerprint != render(spec()).fingerprint


def test_the_stamp_and_the_settings_agree() -> None:
    rendering = render(spec())
    folder = "images/demo/packer"
    stamp = json.loads(rendering.tree[f"{folder}/files/etc/imagegen/image.json"].content)
    variables = json.loads(rendering.tree[f"{folder}/demo.auto.pkrvars.json"].content)
    settings = rendering.tree[f"{folder}/image.env"].content.decode()
    assert stamp["fingerprint"] == variables["image_fingerprint"] == rendering.fingerprint
    assert f"IMAGE_FINGERPRINT={rendering.fingerprint}\n" in settings


def test_containerd_pins_the_sandbox_image_of_this_kubernetes() -> None:
    tree = render(spec(kubernetes={"version": "1.34.4", "imageRepository": "registry.example/k8s"})).tree
    config = tomllib.loads(tree["images/demo/packer/files/etc/containerd/config.toml"].content.decode())
    pinned = config["plugins"]["io.containerd.cri.v1.images"]["pinned_images"]
    assert pinned == {"sandbox": "registry.example/k8s/pause:3.10.1"}


def test_flannel_s_manifest_is_there_only_if_it_is_wanted() -> None:
    path = "images/demo/packer/files/usr/local/lib/imagegen/cni/flannel.yaml"
    kinds = [document["kind"] for document in yaml.safe_load_all(render(spec()).tree[path].content)]
    assert kinds[-1] == "DaemonSet"
    assert path not in render(spec(network={"cni": "none"})).tree


def test_the_build_key_is_not_in_the_image() -> None:
    tree = render(spec()).tree
    holders = [path for path, file in tree if b"build SECRET key" in file.content]
    assert holders == ["images/demo/packer/build-key"]
