"""The sealed disk: what the bake says of it, and what must not be in it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.vm.conftest import Site

pytestmark = [pytest.mark.vm, pytest.mark.timeout(3600)]


def test_stamp_names_the_builder_and_the_plan(site: Site, sealed: Path) -> None:
    stamp = json.loads((sealed / "etc/imagegen/image.json").read_text())
    planned = json.loads((site.image.packer_folder / "files/etc/imagegen/image.json").read_text())
    index = (site.image.bundle / "bundle.json").read_bytes()
    assert {name: stamp[name] for name in planned} == planned
    assert stamp["fingerprint"] == site.image.fingerprint
    assert stamp["builtBy"]["builder"] == "qemu"
    assert stamp["builtBy"]["bundle"] == hashlib.sha256(index).hexdigest()


def test_packer_manifest_has_the_fingerprint(site: Site) -> None:
    builds = site.image.wrote("manifest.json")["builds"]
    assert [build["custom_data"]["fingerprint"] for build in builds] == [site.image.fingerprint]


def test_report_has_a_passed_check_for_everything_declared(site: Site, declared: dict[str, Any]) -> None:
    report = site.image.wrote("report.json")
    wanted = [name for kind in declared.values() if not isinstance(kind, str) for name in kind]
    wanted += [name for name, facts in declared["files"].items() if "sha256" in facts]
    assert sorted(check["name"] for check in report["checks"]) == sorted(wanted)
    assert report["passed"]


def test_identity_is_not_baked_in(sealed: Path) -> None:
    assert (sealed / "etc/machine-id").read_bytes() == b""
    assert (sealed / "etc/hostname").read_bytes() == b""
    assert list((sealed / "etc/ssh").glob("ssh_host_*")) == []
    assert not (sealed / "var/lib/systemd/random-seed").exists()
    assert list((sealed / "var/lib/cloud").iterdir()) == []
    assert not (sealed / "etc/netplan/50-cloud-init.yaml").exists()


def test_build_user_is_gone(sealed: Path) -> None:
    for name in ("passwd", "shadow", "group"):
        assert "imagegen-build" not in (sealed / "etc" / name).read_text()
    assert list((sealed / "home").iterdir()) == []
    assert not (sealed / "root/.ssh").exists()
    assert not (sealed / "etc/sudoers.d/90-cloud-init-users").exists()


def test_tools_of_the_bake_are_gone(sealed: Path) -> None:
    for name in ("tmp", "var/tmp", "var/lib/apt/lists", "var/cache/apt/archives"):
        left = [path for path in (sealed / name).rglob("*") if path.is_file() and path.name != "lock"]
        assert left == []
    assert not (sealed / "var/lib/imagegen-build").exists()


def test_no_node_is_in_the_image(sealed: Path) -> None:
    assert not (sealed / "etc/imagegen/node.json").exists()
    assert not (sealed / "etc/kubernetes/pki").exists()
    assert list((sealed / "var/lib/kubelet").glob("*")) == []
    assert not (sealed / "var/lib/etcd").exists()
