"""The emitted image folder and its fingerprint."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import yaml

from imagegen import pipeline
from imagegen.bundle import KeyPair
from imagegen.cli.common import load_assets
from imagegen.filetree import FileTree
from tests.support.builders import BUILDERS, CASES, with_builder
from tests.support.specs import fake_bundle, render, spec


def test_the_fingerprint_is_about_the_image_alone() -> None:
    usual = render(spec()).fingerprints["demo"]
    same = spec(nodePools=[{"name": "gpu", "labels": {"a": "b"}}], bootstrap={"tokenTTL": "1h"})
    assert render(same).fingerprints["demo"] == usual


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
    assert render(spec(**change)).fingerprints["demo"] != render(spec()).fingerprints["demo"]


def _changed(path: str) -> dict[str, str]:
    """The fingerprints with one file of the Packer folder or of the templates changed."""
    loaded = load_assets()
    packer = FileTree()
    for name, file in loaded.packer:
        packer.add(name, file.content + (b"# changed\n" if name == path else b""), file.mode)
    templates = {name: text + ("# changed\n" if name == path else "") for name, text in loaded.templates.items()}
    cluster, _ = pipeline.check(yaml.safe_dump(spec()), "cluster.yaml", loaded)
    assert cluster is not None
    assets = replace(loaded, packer=packer, templates=templates)
    return {name: image.fingerprint for name, image in pipeline.describe_images(cluster, assets).items()}


def _baked() -> list[str]:
    """What of the Packer folder and the templates goes into the usual image."""
    emitted = {path for path, _ in render(spec()).tree}
    static = [path for path, _ in load_assets().packer if not path.endswith(".hcl")]
    names = (path.removeprefix("image/") for path in load_assets().templates if path.startswith("image/"))
    return [*static, *(f"image/{name}" for name in names if f"images/demo/packer/files/{name}" in emitted)]


@pytest.mark.parametrize("path", _baked())
def test_every_file_that_goes_into_the_image_changes_the_fingerprint(path: str) -> None:
    assert _changed(path) != render(spec()).fingerprints


@pytest.mark.parametrize("path", ["variables.pkr.hcl", "common/etc/containerd/certs.d/hosts.toml"])
def test_what_steers_packer_or_travels_in_user_data_does_not(path: str) -> None:
    assert _changed(path) == render(spec()).fingerprints


def test_tokens_and_keys_change_no_fingerprint() -> None:
    loaded = load_assets()
    cluster, _ = pipeline.check(yaml.safe_dump(spec()), "cluster.yaml", loaded)
    assert cluster is not None
    bundle = fake_bundle("workers")
    other = replace(
        bundle,
        tokens=dict.fromkeys(bundle.tokens, f"abcdef.{'0' * 16}"),
        build_key=KeyPair(public="a", private="b"),
    )
    rendering, _ = pipeline.render(cluster, other, loaded)
    assert rendering is not None
    assert rendering.fingerprints == render(spec()).fingerprints


def test_the_fingerprint_is_in_the_image_s_name_and_tags() -> None:
    rendering = render(spec())
    fingerprint = rendering.fingerprints["demo"]
    variables = json.loads(rendering.tree["images/demo/packer/demo.auto.pkrvars.json"].content)
    assert variables["image_name"] == f"demo-1.37.2-{fingerprint[:12]}"
    hcl = b"".join(file.content for path, file in rendering.tree if path.endswith(".pkr.hcl")).decode()
    assert re.search(r'"imagegen/fingerprint" += var\.image_fingerprint', hcl)
    assert re.search(r'"imagegen/image" += var\.image_name', hcl)


def test_the_stamp_and_the_settings_agree() -> None:
    rendering = render(spec())
    folder = "images/demo/packer"
    stamp = json.loads(rendering.tree[f"{folder}/files/etc/imagegen/image.json"].content)
    variables = json.loads(rendering.tree[f"{folder}/demo.auto.pkrvars.json"].content)
    settings = rendering.tree[f"{folder}/image.env"].content.decode()
    assert stamp["fingerprint"] == variables["image_fingerprint"] == rendering.fingerprints["demo"]
    assert f"IMAGE_FINGERPRINT={rendering.fingerprints['demo']}\n" in settings


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


def keepalived(data: dict[str, Any]) -> dict[str, Any]:
    """The spec with an endpoint that its control planes keep."""
    ours = {"endpoint": "192.168.0.250:8443", "highAvailability": {"type": "keepalived"}}
    return {**data, "controlPlane": {**data["controlPlane"], **ours}}


def balancer(image_env: bytes) -> list[str]:
    """The lists in which the balancer's programs stand."""
    lines = image_env.decode().splitlines()
    return [name for name, words in (line.split("=", 1) for line in lines) if {"haproxy", "keepalived"} & _stems(words)]


def _stems(words: str) -> set[str]:
    return {word.removesuffix(".service") for word in words.strip("'").split()}


def test_control_planes_that_keep_the_endpoint_have_what_they_need_in_their_image_masked() -> None:
    path = "images/demo/packer/image.env"
    assert balancer(render(keepalived(spec())).tree[path].content) == ["PACKAGES", "MASKED_UNITS"]
    assert balancer(render(spec()).tree[path].content) == []


def test_an_image_of_workers_alone_has_nothing_of_it() -> None:
    assets, data = load_assets(), keepalived(spec(imageRef="usual", nodePools=[{"name": "arm", "imageRef": "arm"}]))
    del data["image"]
    cluster, report = pipeline.check(yaml.safe_dump(data) + IMAGES, "cluster.yaml", assets)
    assert cluster is not None, report.diagnostics
    rendering, _ = pipeline.render(cluster, fake_bundle("arm"), assets)
    assert rendering is not None
    found = {name: balancer(rendering.tree[f"images/{name}/packer/image.env"].content) for name in ("usual", "arm")}
    assert found == {"usual": ["PACKAGES", "MASKED_UNITS"], "arm": []}


IMAGES = """
---
apiVersion: imagegen/v1alpha1
kind: Image
metadata: {name: usual}
os: debian-12
---
apiVersion: imagegen/v1alpha1
kind: Image
metadata: {name: arm}
os: debian-13
architecture: arm64
kubernetes: {version: "1.37.1"}
---
apiVersion: imagegen/v1alpha1
kind: Image
metadata: {name: unused}
os: debian-12
"""


def with_images() -> str:
    """A cluster whose nodes boot Image documents."""
    data = spec(imageRef="usual", nodePools=[{"name": "workers"}, {"name": "arm", "imageRef": "arm"}])
    del data["image"]
    return yaml.safe_dump(data) + IMAGES


def test_a_pool_has_its_own_image_and_unused_ones_are_not_made() -> None:
    assets = load_assets()
    cluster, report = pipeline.check(with_images(), "cluster.yaml", assets)
    assert cluster is not None, report.diagnostics
    rendering, _ = pipeline.render(cluster, fake_bundle("workers", "arm"), assets)
    assert rendering is not None
    manifest = json.loads(rendering.tree["manifest.json"].content)
    assert {role: data["image"] for role, data in manifest["userData"].items()} == {
        "control-plane-init": "usual",
        "control-plane-join": "usual",
        "worker-workers": "usual",
        "worker-arm": "arm",
    }
    assert {name: image["kubernetes"] for name, image in manifest["images"].items()} == {
        "usual": "1.37.2",
        "arm": "1.37.1",
    }
    variables = json.loads(rendering.tree["images/arm/packer/arm.auto.pkrvars.json"].content)
    assert (variables["architecture"], variables["os"]) == ("arm64", "debian-13")


def test_one_bake_serves_every_cluster_that_shares_the_image() -> None:
    one, other = spec(), spec(metadata={"name": "other"})
    for data in (one, other):
        data["image"]["name"] = "node"
    assert render(one).fingerprints == render(other).fingerprints


def beside(files: dict[str, str]) -> Callable[[str], str]:
    def read(file: str) -> str:
        if file not in files:
            raise FileNotFoundError(file)
        return files[file]

    return read


def test_images_come_with_what_a_spec_extends() -> None:
    own = yaml.safe_dump(spec(extends=["images.yaml"], image=None, imageRef="usual")).replace("image: null\n", "")
    changed = "---\napiVersion: imagegen/v1alpha1\nkind: Image\nmetadata: {name: usual}\nos: debian-13\n"
    files = {"images.yaml": IMAGES}
    cluster, report = pipeline.check(own + changed, "cluster.yaml", load_assets(), beside(files))
    assert cluster is not None, report.diagnostics
    assert {name: image.os for name, image in cluster.images.items()} == {
        "usual": "debian-13",
        "arm": "debian-13",
        "unused": "debian-12",
    }


def test_an_image_s_hooks_travel_in_their_order() -> None:
    hooks = [{"name": name, "script": f"#!/bin/sh\necho {name}\n"} for name in ("second", "first")]
    folder = "images/demo/packer/hooks"
    rendering = render(spec(image={"os": "debian-12", "hooks": hooks}))
    files = {path: file for path, file in rendering.tree if path.startswith(f"{folder}/0")}
    assert list(files) == [f"{folder}/01-second", f"{folder}/02-first"]
    assert {file.mode for file in files.values()} == {0o755}
    assert rendering.fingerprints != render(spec()).fingerprints


@pytest.mark.parametrize(
    ("provider", "servers"),
    [
        ("qemu", None),
        ("azure", None),
        ("aws", ["169.254.169.123"]),
        ("gcp", ["metadata.google.internal"]),
        ("alicloud", ["ntp.cloud.aliyuncs.com", "ntp7.cloud.aliyuncs.com", "ntp8.cloud.aliyuncs.com"]),
    ],
)
def test_the_cloud_s_own_time_servers_are_in_the_image(provider: str, servers: list[str] | None) -> None:
    rendering = render(spec(provider={"type": provider, "region": "somewhere"}))
    path = "images/demo/packer/files/etc/chrony/sources.d/imagegen.sources"
    said = rendering.tree[path].content.decode().splitlines() if path in rendering.tree else None
    assert said == (servers and [f"server {server} iburst" for server in servers])
    # What the spec says takes its place: user-data writes the same file.
    own = render(spec(provider={"type": provider, "region": "somewhere"}, time={"servers": ["ntp.example.com"]}))
    assert b"path: /etc/chrony/sources.d/imagegen.sources" in own.tree["user-data/worker-workers.yaml"].content


@pytest.mark.parametrize(
    ("provider", "sources"),
    [
        ("qemu", "NoCloud, None"),
        ("alicloud", "AliYun"),
        ("aws", "Ec2"),
        ("gcp", "GCE"),
        ("azure", "Azure"),
        ("openstack", "OpenStack, ConfigDrive"),
        ("vsphere", "VMware, OVF, NoCloud"),
    ],
)
def test_the_image_asks_its_own_cloud_alone(provider: str, sources: str) -> None:
    tree = render(spec(provider={"type": provider, "region": "somewhere"})).tree
    lines = tree["images/demo/packer/files/etc/cloud/cloud.cfg.d/99-imagegen.cfg"].content.decode().splitlines()
    # cloud-init's ds-identify reads the list only where it is on one line.
    assert f"datasource_list: [{sources}]" in [line.replace("[ ", "[").replace(" ]", "]") for line in lines]


def test_an_image_document_serves_the_cluster_s_own_cloud() -> None:
    document = {"apiVersion": "imagegen/v1alpha1", "kind": "Image", "metadata": {"name": "node"}, "os": "debian-12"}
    document |= {CASES[name].key: CASES[name].settings for name in ("alicloud-ecs", "amazon-ebs")}
    made = {}
    for provider, region in (("aws", "eu-central-1"), ("alicloud", "cn-hangzhou"), ("qemu", "none")):
        data = spec(provider={"type": provider, "region": region}, imageRef="node")
        del data["image"]
        cluster, report = pipeline.check(yaml.safe_dump_all([data, document]), "cluster.yaml", load_assets())
        assert cluster is not None, report.diagnostics
        assert not report.diagnostics
        made[provider] = pipeline.describe_images(cluster, load_assets())["node"].builders
    assert made == {"aws": ("qemu", "amazon-ebs"), "alicloud": ("qemu", "alicloud-ecs"), "qemu": ("qemu",)}


@pytest.mark.parametrize("builder", BUILDERS)
def test_another_base_is_another_image(builder: str) -> None:
    sources = {"sourceImage": "ami-0def", "sourceName": None, "sourceOwner": None}
    other: dict[str, dict[str, Any]] = {
        "qemu": {"checksum": "sha256:" + "1" * 64},
        "alicloud-ecs": {"sourceImage": "debian_12_14"},
        "amazon-ebs": sources,
        "googlecompute": {"sourceFamily": "debian-13"},
        "azure-arm": {"source": {"publisher": "Debian", "offer": "debian-13", "sku": "13"}},
        "openstack": {"sourceName": "debian-13"},
        "vsphere-clone": {"template": "debian-13"},
    }
    assert render(with_builder(builder)).fingerprints != render(with_builder(builder, **other[builder])).fingerprints
