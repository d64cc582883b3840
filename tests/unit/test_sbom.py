"""The bill of materials: valid by the library's own schema, the same each time, everything of the inventory in it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from imagegen.assets import catalog
from imagegen.inventory import NoInventoryError, read_inventory
from imagegen.sbom import bill_of_materials
from tests.support.inventories import FINGERPRINT, inventory, package


def made(**changes: Any) -> str:
    return bill_of_materials(read_inventory(inventory(**changes)), catalog().programs, "0.1.0")


def components(text: str) -> dict[str, Any]:
    return {component["bom-ref"]: component for component in json.loads(text)["components"]}


def test_it_is_valid() -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(made()) is None
    broken = made().replace('"type": "container"', '"type": "box"')
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(broken) is not None


def test_it_is_about_the_image() -> None:
    bom = json.loads(made())
    about = bom["metadata"]["component"]
    assert (bom["bomFormat"], bom["specVersion"], bom["version"]) == ("CycloneDX", "1.6", 1)
    assert (about["name"], about["version"]) == ("demo", f"1.37.2-{FINGERPRINT[:12]}")
    said = {entry["name"]: entry["value"] for entry in about["properties"]}
    assert said["imagegen:fingerprint"] == FINGERPRINT
    assert said["imagegen:kernel"] == "6.1.0-30-cloud-amd64"
    assert bom["metadata"]["timestamp"] == "2026-11-25T23:00:00+00:00"
    assert bom["metadata"]["tools"]["components"][0]["name"] == "imagegen"


def test_the_same_inventory_gives_the_same_bytes() -> None:
    assert made() == made()
    serial = json.loads(made())["serialNumber"]
    stamp = inventory()["image"]
    other = json.loads(made(image={**stamp, "fingerprint": "cd" * 32}))["serialNumber"]
    later = json.loads(made(image={**stamp, "builtBy": {"builder": "qemu", "at": "2026-11-26T00:00:00Z"}}))
    assert len({serial, other, later["serialNumber"]}) == 3


def test_everything_has_its_package_url() -> None:
    purls = [component.get("purl") for component in components(made()).values()]
    assert sorted(filter(None, purls)) == [
        "pkg:deb/debian/libc6@2.36-9%2Bdeb12u14?arch=amd64&distro=debian-12&upstream=glibc%402.36-9%2Bdeb12u14",
        "pkg:deb/debian/runc@1.1.5%2Bds1-1%2Bdeb12u1?arch=amd64&distro=debian-12",
        f"pkg:generic/own?checksum=sha256:{'03' * 32}",
        "pkg:golang/github.com/containerd/containerd/v2@v2.3.7#cmd/containerd",
        "pkg:golang/k8s.io/kubernetes@v1.37.2#cmd/kubelet",
        f"pkg:oci/pause@sha256:{'04' * 32}?arch=amd64&repository_url=registry.k8s.io/pause&tag=3.10.2",
    ]
    assert len(purls) == 7  # and the system, which has none


def test_rpm_packages() -> None:
    packages = [
        package("bind-libs", "32:9.16-1.el9", kind="rpm", architecture="x86_64", source="bind-9.16-1.el9.src.rpm")
    ]
    text = made(packages=packages, system={"id": "rocky", "version": "9.4", "name": "Rocky Linux 9.4"})
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    purl = "pkg:rpm/rocky/bind-libs@9.16-1.el9?arch=x86_64&distro=rocky-9.4&epoch=32&upstream=bind-9.16-1.el9.src.rpm"
    assert components(text)[purl]["version"] == "32:9.16-1.el9"


def test_hashes() -> None:
    found = components(made())
    assert found["file:/usr/bin/kubelet"]["hashes"] == [{"alg": "SHA-256", "content": "01" * 32}]
    assert found["image:registry.k8s.io/pause:3.10.2"]["hashes"] == [{"alg": "SHA-256", "content": "04" * 32}]


@pytest.mark.parametrize(
    ("reference", "purl"),
    [
        (
            "reg.example:5000/Team/app:1",
            "pkg:oci/app@sha256:aa?arch=amd64&repository_url=reg.example:5000/Team/app&tag=1",
        ),
        ("reg.example:5000/app@sha256:aa", "pkg:oci/app@sha256:aa?arch=amd64&repository_url=reg.example:5000/app"),
        ("app:1@sha256:aa", "pkg:oci/app@sha256:aa?arch=amd64&repository_url=app&tag=1"),
    ],
)
def test_names_of_container_images(reference: str, purl: str) -> None:
    text = made(images=[{"reference": reference, "digest": "sha256:aa"}])
    assert components(text)[f"image:{reference}"]["purl"] == purl


def test_what_the_image_holds_is_what_it_depends_on() -> None:
    bom = json.loads(made())
    (edges,) = [entry["dependsOn"] for entry in bom["dependencies"] if entry["ref"] == "image"]
    assert sorted(edges) == sorted(components(made()))


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"format": 2},
        inventory(format=2),
        inventory(packages=1),
        inventory(image={}),
        inventory(binaries=[{"path": "/a"}]),
    ],
    ids=range(8),
)
def test_what_is_no_inventory(data: Any) -> None:
    with pytest.raises(NoInventoryError):
        read_inventory(data)
