"""What a user does: lock, bundle, bake, boot; every file of the image comes from a server, held to the lock.

Debian's packages come from its real archive, by the mirror that this machine uses; everything else is the real programs
on loopback, laid out as the vendors lay out theirs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any

import pytest

from imagegen.lab import lab
from imagegen.lab.nspawn import NspawnMachine
from tests.cluster import alone, packaged, released, serving, site
from tests.support import programs
from tests.support.archives import own_mirrors
from tools import bundle as made_here
from tools import nspawn_bake
from tools.base import base

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

OPERATOR = IPv4Interface("10.79.0.1/24")
FILES = ("dl.k8s.io", "github.com", "cloud.debian.org")
REGISTRIES = ("registry.k8s.io", "ghcr.io")


@dataclass(frozen=True, slots=True, kw_only=True)
class Baked:
    """A disk, what it was baked from, and what the bake said."""

    disk: Path
    site: site.Site
    bundle: Path
    report: dict[str, Any]


def mirrors(server: str) -> list[str]:
    """Options that ask the server in all vendors' places but Debian's archive."""
    pairs = [f"https://{host}=http://{server}/{host}" for host in FILES]
    pairs += [f"https://{host}/v2=http://{server}/v2/{host}" for host in REGISTRIES]
    return [*(word for pair in pairs for word in ("--mirror", pair)), *own_mirrors()]


@pytest.fixture(scope="module")
def baked(tmp_path_factory: pytest.TempPathFactory, report: list[str]) -> Iterator[Baked]:
    programs.require()
    folder, programs_of = tmp_path_factory.mktemp("locked"), made_here.bundle()
    web, bundle = folder / "web", folder / "bundle"
    released.lay_out(web, programs_of, base().disk)
    packaged.lay_out_images(web, programs_of)
    made = site.make(folder, {"name": "node", "os": "debian-12", "source": "bundle"})
    with serving.served_here(web) as server:
        made.call("lock", *mirrors(server))
        made.call("bundle", f"--out={bundle}", *mirrors(server))
    made.render()
    (packer,) = made.rendered.glob("images/*/packer")
    with lab.opened(folder, operator=OPERATOR) as opened:
        bake = nspawn_bake.prepared(opened, "bake", base=base().disk, bundle=bundle, packer=packer)
        bake.boot()
        bake.run_until("86-")
        said = bake.report()
        bake.run_until(nspawn_bake.SEAL)
        raw = bake.finish(folder / "baked.raw")
    report.append(
        "image of a locked bundle: " + ", ".join(f"{name} {took:.1f} s" for name, took in bake.seconds.items())
    )
    yield Baked(disk=raw, site=made, bundle=bundle, report=said)
    raw.unlink()


@pytest.fixture(scope="module")
def node(baked: Baked, tmp_path_factory: pytest.TempPathFactory, report: list[str]) -> Iterator[NspawnMachine]:
    """The control plane, Ready."""
    with alone.control_plane(baked.disk, baked.site, tmp_path_factory.mktemp("lab"), report) as machine:
        yield machine


def test_every_check_passed(baked: Baked) -> None:
    assert baked.report["passed"]
    assert {check["kind"] for check in baked.report["checks"]} >= {"package", "binary", "content", "image"}


def test_the_rendered_image_is_pinned_to_the_bundle_that_was_fetched(baked: Baked) -> None:
    (settings,) = baked.site.rendered.glob("images/*/packer/image.env")
    found = hashlib.sha256((baked.bundle / "bundle.json").read_bytes()).hexdigest()
    assert f"BUNDLE_SHA256={found}\n" in settings.read_text().replace("'", "")
    (variables,) = baked.site.rendered.glob("images/*/packer/*.auto.pkrvars.json")
    pinned = json.loads(variables.read_text())
    assert pinned["qemu_base_url"].startswith("https://cloud.debian.org/")
    assert pinned["qemu_base_checksum"] == base().checksum


def test_the_node_is_ready(node: NspawnMachine) -> None:
    assert "phase=done status=ok" in node.console()
