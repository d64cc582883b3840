"""What a real bake says is in the image, against the disk itself."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.support.specs import run
from tests.vm.conftest import Site

pytestmark = [pytest.mark.vm, pytest.mark.timeout(3600)]

_FIELD = re.compile(r"(?m)^(Package|Version|Architecture|Status): (.*)$")


@pytest.fixture
def inventory(site: Site) -> Any:
    return site.image.wrote("inventory.json")


def test_packages_are_those_of_the_disk(inventory: Any, sealed: Path) -> None:
    blocks = (dict(_FIELD.findall(block)) for block in (sealed / "var/lib/dpkg/status").read_text().split("\n\n"))
    there = [(block["Package"], block["Version"], block["Architecture"]) for block in blocks if _installed(block)]
    listed = [(package["name"], package["version"], package["architecture"]) for package in inventory["packages"]]
    assert sorted(listed) == sorted(there)
    assert len(there) > 100


def _installed(block: dict[str, str]) -> bool:
    return block.get("Status", "").endswith(" installed")


def test_programs_are_those_of_the_disk(inventory: Any, sealed: Path, site: Site) -> None:
    index = json.loads((site.image.bundle / "bundle.json").read_text())
    bundled = {file["sha256"]: file["version"] for file in index["files"] if file["kind"] in {"binary", "cni"}}
    listed = {binary["path"]: binary for binary in inventory["binaries"]}
    for path, binary in listed.items():
        assert hashlib.sha256((sealed / path[1:]).read_bytes()).hexdigest() == binary["sha256"], path
        assert bundled[binary["sha256"]] == binary["version"], path
    assert len(listed) == len(bundled)


def test_container_images_are_those_of_the_bundle(inventory: Any, site: Site) -> None:
    index = json.loads((site.image.bundle / "bundle.json").read_text())
    bundled = {file["name"] for file in index["files"] if file["kind"] == "image"}
    assert {image["reference"] for image in inventory["images"]} == bundled
    assert all(re.fullmatch("sha256:[0-9a-f]{64}", image["digest"]) for image in inventory["images"])


def test_the_kernels_are_those_that_it_boots(inventory: Any, sealed: Path) -> None:
    assert [f"vmlinuz-{kernel}" for kernel in inventory["kernels"]] == sorted(
        path.name for path in (sealed / "boot").glob("vmlinuz-*")
    )


def test_the_bill_of_materials_is_valid_and_whole(inventory: Any, site: Site, tmp_path: Path) -> None:
    path = tmp_path / "image.cdx.json"
    assert run("sbom", site.image.evidence, "--out", path).exit_code == 0
    text = path.read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bom = json.loads(text)
    kinds = Counter(component.get("purl", "pkg:").split("/")[0] for component in bom["components"])
    assert kinds == {
        "pkg:deb": len(inventory["packages"]),
        "pkg:golang": len(inventory["binaries"]),
        "pkg:oci": len(inventory["images"]),
        "pkg:": 1,
    }
    said = {entry["name"]: entry["value"] for entry in bom["metadata"]["component"]["properties"]}
    assert said["imagegen:fingerprint"] == site.image.fingerprint
