"""What machines that install themselves are given, within their provider's limit."""

from __future__ import annotations

import json
import lzma
from base64 import b85decode
from hashlib import sha256
from typing import Any

import pytest
import yaml

from imagegen import pipeline
from imagegen.cli.common import load_assets
from imagegen.comparison import compare
from imagegen.inspection import inspect_artifact
from imagegen.secrets.placeholder import bundle_for
from tests.support.specs import SPEC, fake_bundle, render, spec

BUNDLE = {"url": "https://bucket.example.com/bundle", "sha256": "0" * 64}
SERVED = {"url": "https://bucket.example.com/stock"}
ALICLOUD = {"type": "alicloud", "region": "cn-hangzhou"}
AWS = {"type": "aws", "region": "eu-central-1"}
WORK = "/var/tmp/imagegen/"


def stock(**sections: Any) -> dict[str, Any]:
    """The usual spec, of machines that install themselves."""
    image = {"install": "stock", "bundle": BUNDLE} | sections.pop("image", {})
    return spec(image=image, **sections)


def cloud_config(rendering: pipeline.Rendering, role: str = "worker-workers") -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load(rendering.tree[f"user-data/{role}.yaml"].content)
    return config


def written(config: dict[str, Any]) -> dict[str, str]:
    return {entry["path"]: entry["content"] for entry in config["write_files"]}


def packed(rendering: pipeline.Rendering) -> dict[str, str]:
    """The files in the user-data, unpacked by other means than the loader's."""
    payload = written(cloud_config(rendering))["/var/lib/imagegen/stock/payload"]
    files: dict[str, str] = json.loads(lzma.decompress(b85decode(payload.strip())))
    return files


def test_it_is_what_the_image_is_baked_from() -> None:
    files, baked = packed(render(stock())), render(spec(image={"bundle": BUNDLE})).tree
    folder = "images/demo/packer/"
    emitted = {path.removeprefix(folder): file.content.decode() for path, file in baked if path.startswith(folder)}
    same = {path for path in files if path in emitted and not path.endswith(".py") and path != "declared.json"}
    assert {path: files[path] for path in same} == {path: emitted[path] for path in same}
    kinds = ("scripts/", "verify/", "files/", "hooks/", "image.env", "declared.json")
    assert {path for path in emitted if path.startswith(kinds)} - files.keys() == {
        "scripts/90-seal-image.sh",
        "scripts/family/dnf.sh",
    }
    assert {path for path in files.keys() - emitted.keys() if not path.startswith("install/")} == set()


def test_nothing_in_it_is_secret() -> None:
    text = json.dumps(packed(render(stock())))
    assert "SECRET key" not in text
    assert "secrettoken" not in text
    for name in ("build-key", "seed/", "pkr.hcl", "pkrvars"):
        assert not [path for path in packed(render(stock())) if name in path]


def test_the_fingerprint_is_the_baked_image_s() -> None:
    served = render(stock(image={"stock": SERVED}))
    assert {
        render(stock()).fingerprints["demo"],
        served.fingerprints["demo"],
        render(spec(image={"bundle": BUNDLE})).fingerprints["demo"],
    } == {served.fingerprints["demo"]}


def test_digests_are_left_to_the_machine() -> None:
    declared = json.loads(packed(render(stock()))["declared.json"])["files"]
    assert declared["/etc/imagegen/image.json"] == {"mode": "0644"}
    assert {file.get("sha256", "") for file in declared.values()} == {""}
    assert sum("sha256" in file for file in declared.values()) > 40


def test_user_data_wins_over_a_file_of_the_image() -> None:
    told = written(cloud_config(render(stock(provider=ALICLOUD, time={"servers": ["ntp.example.com"]}, **NO_NODES))))
    assert json.loads(told["/var/lib/imagegen/stock/stock.json"])["keep"] == ["/etc/chrony/sources.d/imagegen.sources"]


NO_NODES: dict[str, Any] = {
    "image": {"stock": SERVED},
    "controlPlane": {"endpoint": "api.example.com:6443", "nodes": [], "replicas": 3},
    "nodePools": [{"name": "workers", "replicas": 3}],
}


@pytest.mark.parametrize(("provider", "limit"), [(ALICLOUD, 32_768), (AWS, 16_384)], ids=["alicloud", "aws"])
@pytest.mark.parametrize("algorithm", ["ECDSA-P256", "RSA-2048"])
def test_every_role_is_within_the_limit(provider: dict[str, str], limit: int, algorithm: str) -> None:
    """With secrets as large as real ones."""

    def sizes(**image: Any) -> dict[str, int]:
        sections = {**NO_NODES, "image": image, "kubeadm": {"encryptionAlgorithm": algorithm}}
        cluster, _ = pipeline.check(yaml.safe_dump(spec(provider=provider, **sections)), "c.yaml", load_assets())
        assert cluster is not None
        rendering, report = pipeline.render(cluster, bundle_for(cluster), load_assets())
        assert rendering is not None, report
        assert {artifact.limit for artifact in rendering.artifacts} == {limit}
        return {artifact.role: len(artifact.payload) for artifact in rendering.artifacts}

    served = sizes(install="stock", stock=SERVED, bundle=BUNDLE)
    assert max(served.values()) <= limit
    if algorithm == "ECDSA-P256":
        baked = sizes()
        assert all(served[role] - baked[role] < 6_000 for role in baked)


def test_a_seed_has_room_for_all_of_it() -> None:
    for artifact in render(stock()).artifacts:
        assert artifact.fits
        assert 20_000 < len(artifact.payload) < 80_000


@pytest.mark.parametrize("provider", [ALICLOUD, AWS], ids=["alicloud", "aws"])
def test_too_large_without_an_address(provider: dict[str, str]) -> None:
    data = stock(provider=provider, **{**NO_NODES, "image": {}})
    cluster, _ = pipeline.check(yaml.safe_dump(data), "cluster.yaml", load_assets())
    assert cluster is not None
    rendering, report = pipeline.render(cluster, fake_bundle("workers"), load_assets())
    assert rendering is None
    assert {finding.code for finding in report.diagnostics} == {"IG401"}
    assert all("`image.stock.url`" in (finding.hint or "") for finding in report.diagnostics)


def test_what_is_served_is_what_user_data_names() -> None:
    rendering = render(stock(image={"stock": SERVED}))
    files = written(cloud_config(rendering))
    told = json.loads(files["/var/lib/imagegen/stock/stock.json"])
    (path,) = [path for path, _ in rendering.tree if path.startswith("images/")]
    assert told["url"] == f"{SERVED['url']}/{path.removeprefix('images/demo/stock/')}"
    assert told["url"].endswith(f"/{told['sha256']}.json.xz")
    assert sha256(lzma.decompress(rendering.tree[path].content)).hexdigest() == told["sha256"]
    assert "/var/lib/imagegen/stock/payload" not in files
    assert told["url"] in rendering.tree["README.md"].content.decode()


def test_no_packer_folder_and_nobody_told_to_bake() -> None:
    rendering = render(stock())
    assert [path for path, _ in rendering.tree if path.startswith("images/")] == []
    manifest = json.loads(rendering.tree["manifest.json"].content)
    assert manifest["images"]["demo"]["install"] == "stock"
    assert "Nothing is baked for `demo`" in rendering.tree["README.md"].content.decode()


def test_a_cluster_may_have_both() -> None:
    documents = [{**spec(), "imageRef": "own"}, {"apiVersion": "imagegen/v1alpha1", "kind": "Image"}]
    del documents[0]["image"]
    documents[0]["nodePools"] = [{**SPEC["nodePools"][0], "imageRef": "self"}]
    documents[1] |= {"metadata": {"name": "own"}, "os": "debian-12"}
    documents.append({**documents[1], "metadata": {"name": "self"}, "install": "stock", "bundle": BUNDLE})
    cluster, report = pipeline.check(yaml.safe_dump_all(documents), "cluster.yaml", load_assets())
    assert cluster is not None, report
    rendering, _ = pipeline.render(cluster, fake_bundle("workers"), load_assets())
    assert rendering is not None
    assert "bootcmd" not in cloud_config(rendering, "control-plane-init")
    assert "bootcmd" in cloud_config(rendering)
    readme = rendering.tree["README.md"].content.decode()
    assert readme.index("**Bake `own`.**") < readme.index("**Nothing is baked for `self`.**")


def test_bootcmd_is_a_command_with_its_words() -> None:
    ((shell, flag, script, name, unit, hold, *masked),) = cloud_config(render(stock()))["bootcmd"]
    assert (shell, flag, name) == ("sh", "-c", "imagegen-install.service")
    assert "\nExecStart=/usr/bin/python3 %S/imagegen/stock/load.py\n" in unit
    assert hold == "[Unit]\nConditionPathExists=%S/imagegen/installed\n"
    assert "apt-daily.timer" in masked
    assert not [line for line in (script + unit).splitlines() if line.startswith("#")]


def test_inspect_finds_every_file() -> None:
    rendering = render(stock())
    (part,) = inspect_artifact(rendering.tree["user-data/worker-workers.yaml"].content).parts
    found = {file.path: file.content.decode() for file in part.files if file.path.startswith(WORK)}
    assert found == {WORK + path: text for path, text in packed(rendering).items()}


def test_diff_says_which_file_differs() -> None:
    def tree(**image: Any) -> dict[str, bytes]:
        return {path: file.content for path, file in render(stock(image=image)).tree}

    hook = [{"name": "motd", "script": "#!/bin/sh\necho golden >/etc/motd\n"}]
    for served in ({}, {"stock": SERVED}):
        comparison = compare(tree(**served), tree(**served, hooks=hook))
        changed = {change.path for change in comparison.user_data}
        assert f"{WORK}hooks/01-motd (mode 0600)" in changed
        assert "/var/lib/imagegen/stock/payload (mode 0600)" not in changed
        assert comparison.images == ()
        assert not compare(tree(**served), tree(**served)).user_data
