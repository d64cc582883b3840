"""Calico's manifest by its address and hash: a small one stands in for the vendor's, on loopback."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fetching.conftest import Run
from tests.fetching.test_bundle import baked_check
from tests.support import specs
from tests.support.origins import Vendors

VERSION = "3.32.1"
URL = f"https://raw.githubusercontent.com/projectcalico/calico/v{VERSION}/manifests/calico.yaml"
IMAGES = tuple(f"quay.io/calico/{name}:v{VERSION}" for name in ("cni", "kube-controllers", "node"))
MANIFEST = "".join(f"---\nkind: Some\nspec:\n  - image: {image}\n" for image in (*IMAGES, IMAGES[0])).encode()


@pytest.fixture(autouse=True)
def calico(vendors: Vendors, spec: Path) -> None:
    vendors.put(URL, MANIFEST)
    for image in IMAGES:
        vendors.image(image, "amd64")
    network = {**specs.spec()["network"], "cni": "calico"}
    spec.write_text(yaml.safe_dump(specs.spec(image={"source": "bundle"}, network=network)))


def locked(spec: Path) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(spec.with_name("demo.lock.yaml").read_text())["architectures"]["amd64"]
    return data


def test_manifest_and_images_are_locked(lock: Run, spec: Path) -> None:
    assert lock().exit_code == 0
    (manifest,) = (entry for entry in locked(spec)["files"] if entry["kind"] == "manifest")
    assert manifest == {
        "path": "manifests/calico.yaml",
        "kind": "manifest",
        "name": "calico.yaml",
        "version": VERSION,
        "url": URL,
        "sha256": sha256(MANIFEST).hexdigest(),
        "size": len(MANIFEST),
    }
    names = {image["name"] for image in locked(spec)["images"]}
    assert set(IMAGES) <= names
    assert not [name for name in names if "flannel" in name]


def test_another_release(lock: Run, spec: Path) -> None:
    spec.write_text(spec.read_text().replace("cni: calico", "cni: calico\n  calicoVersion: 3.31.7"))
    failed = lock()
    assert failed.exit_code == 3
    assert "/v3.31.7/manifests/calico.yaml" in failed.stderr


def test_a_manifest_that_asks_for_other_images_is_not_locked(lock: Run, spec: Path, vendors: Vendors) -> None:
    vendors.put(URL, MANIFEST + b"---\nspec: {}\n  image: quay.io/calico/typha:v1\n")
    failed = lock()
    assert failed.exit_code == 3
    assert "quay.io/calico/typha:v1" in failed.stderr
    assert not spec.with_name("demo.lock.yaml").exists()


def test_what_was_seen_first_stays(lock: Run, spec: Path, vendors: Vendors) -> None:
    assert lock().exit_code == 0
    before = locked(spec)
    vendors.put(URL, MANIFEST + b"# changed\n")
    assert "nothing new" in lock().stdout
    assert locked(spec) == before


def test_the_bundle_has_it_and_the_bake_s_check_takes_it(lock: Run, bundle: Run, tmp_path: Path) -> None:
    assert lock().exit_code == 0
    made = bundle()
    assert made.exit_code == 0, made.stderr
    manifest = tmp_path / "bundle/manifests/calico.yaml"
    assert manifest.read_bytes() == MANIFEST
    assert manifest.stat().st_mode & 0o777 == 0o644
    assert baked_check(tmp_path / "bundle") == ""
    manifest.write_bytes(MANIFEST.replace(b"Some", b"Evil"))
    assert "manifests/calico.yaml has sha256" in baked_check(tmp_path / "bundle")


def test_a_mirror_that_changes_it_is_refused(lock: Run, bundle: Run, vendors: Vendors, tmp_path: Path) -> None:
    assert lock().exit_code == 0
    vendors.put(URL, MANIFEST.replace(b"Some", b"Evil"))
    failed = bundle()
    assert failed.exit_code == 3
    assert not (tmp_path / "bundle/manifests/calico.yaml").exists()


@pytest.mark.parametrize("source", ["bundle", "binaries"])
def test_the_image_s_folder_says_what_is_checked(lock: Run, spec: Path, tmp_path: Path, source: str) -> None:
    spec.write_text(spec.read_text().replace("source: bundle", f"source: {source}"))
    assert lock().exit_code == 0
    assert specs.run("secrets", "new", spec).exit_code == 0
    rendered = specs.run("render", spec, "--out", tmp_path / "out")
    assert rendered.exit_code == 0, rendered.stderr
    (folder,) = (tmp_path / "out").glob("**/packer")
    declared = json.loads((folder / "declared.json").read_text())["files"]
    expected = {"mode": "0644", "sha256": sha256(MANIFEST).hexdigest()}
    assert declared["/usr/local/lib/imagegen/cni/calico.yaml"] == expected
    assert "/usr/local/lib/imagegen/cni/flannel.yaml" not in declared
    environment = (folder / "image.env").read_text().splitlines()
    assert "CNI_MANIFEST=calico.yaml" in environment
    assert f"FURTHER_IMAGES='{' '.join(IMAGES)}'" in environment
    entries = json.loads((folder / "lock.json").read_text())["files"]
    assert [entry["url"] for entry in entries if entry["kind"] == "manifest"] == [URL]
