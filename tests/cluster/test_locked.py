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
ARCHIVES = ("ftp.debian.org", "security.debian.org")
REGISTRIES = ("registry.k8s.io", "ghcr.io")


@dataclass(frozen=True, slots=True, kw_only=True)
class Baked:
    """A disk, the site that it was baked for, and what the bake said."""

    disk: Path
    site: site.Site
    report: dict[str, Any]


def mirrors(server: str) -> list[str]:
    """Options that ask the server in all vendors' places but Debian's archive."""
    pairs = [f"https://{host}=http://{server}/{host}" for host in FILES]
    pairs += [f"https://{host}/v2=http://{server}/v2/{host}" for host in REGISTRIES]
    return [*(word for pair in pairs for word in ("--mirror", pair)), *own_mirrors()]


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the vendors serve."""
    programs.require()
    top = tmp_path_factory.mktemp("vendors")
    folder = top / "web"
    released.lay_out(folder, made_here.bundle(), base().disk, top)
    packaged.lay_out_images(folder, made_here.bundle())
    return folder


@pytest.fixture(scope="module")
def locked(web: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[site.Site, Path]:
    """A site whose image is locked, and the bundle that was fetched for it."""
    folder = tmp_path_factory.mktemp("locked")
    made, bundle = site.make(folder, {"name": "node", "os": "debian-12", "source": "bundle"}), folder / "bundle"
    with serving.served_here(web) as server:
        made.call("lock", *mirrors(server))
        made.call("bundle", f"--out={bundle}", *mirrors(server))
    made.render()
    return made, bundle


@pytest.fixture(scope="module")
def bundled(locked: tuple[site.Site, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Baked]:
    """The image of that bundle, made without a network."""
    made, bundle = locked
    (packer,) = made.rendered.glob("images/*/packer")
    folder = tmp_path_factory.mktemp("bundled")
    with lab.opened(folder, operator=OPERATOR) as opened:
        bake = nspawn_bake.prepared(opened, "bake", base=base().disk, bundle=bundle, packer=packer)
        yield from finished(bake, made, folder / "baked.raw")


@pytest.fixture(scope="module")
def fetched(locked: tuple[site.Site, Path], web: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Baked]:
    """The same programs as plain files that the machine itself fetches, by a lock of its own."""
    folder = tmp_path_factory.mktemp("fetched")
    made = site.make(folder, {"name": "node", "os": "debian-12", "source": "binaries"})
    with serving.served_here(web) as server:
        made.call("lock", *mirrors(server))
    made.render()
    (packer,) = made.rendered.glob("images/*/packer")
    serve_packages(web, packer / "lock.json", locked[1])
    asked_at(packer / "image.env", f"{OPERATOR.ip}:{serving.PORT}")
    with lab.opened(folder, operator=OPERATOR) as opened, serving.served(opened.network.name, str(OPERATOR.ip), web):
        bake = nspawn_bake.prepared(opened, "bake", base=base().disk, bundle=None, packer=packer)
        packaged.trust_registry(bake.machine.root, f"{OPERATOR.ip}:{serving.PORT}")
        yield from finished(bake, made, folder / "baked.raw", address="10.79.0.2/24")


def serve_packages(web: Path, lock: Path, bundle: Path) -> None:
    """Debian's packages, where the lock says that they are."""
    for file in json.loads(lock.read_text())["files"]:
        if file["kind"] == "package":
            place = web / file["url"].removeprefix("https://")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(bundle / file["path"])


def asked_at(settings: Path, server: str) -> None:
    """Everything is asked at one server."""
    pairs = [f"https://{host}/=http://{server}/{host}/" for host in (*FILES, *ARCHIVES)]
    pairs += [f"{host}/={server}/{host}/" for host in REGISTRIES]
    packaged.set_mirrors(settings, pairs)


def finished(bake: nspawn_bake.NspawnBake, made: site.Site, raw: Path, *, address: str = "") -> Iterator[Baked]:
    """Run all scripts, and give the disk; it is gone afterwards."""
    bake.boot()
    if address:
        bake.machine.shell(f"ip address add {address} dev eth0 && ip link set eth0 up")
    bake.run_until("86-")
    said = bake.report()
    bake.run_until(nspawn_bake.SEAL)
    yield Baked(disk=bake.finish(raw), site=made, report=said)
    raw.unlink()


@pytest.fixture(scope="module", params=["bundled", "fetched"])
def baked(request: pytest.FixtureRequest) -> Baked:
    found: Baked = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="module")
def node(baked: Baked, tmp_path_factory: pytest.TempPathFactory, report: list[str]) -> Iterator[NspawnMachine]:
    """The control plane, Ready."""
    with alone.control_plane(baked.disk, baked.site, tmp_path_factory.mktemp("lab"), report) as machine:
        yield machine


def test_every_check_passed(baked: Baked) -> None:
    assert baked.report["passed"]
    assert {check["kind"] for check in baked.report["checks"]} >= {"package", "binary", "content", "image"}


def test_the_rendered_image_is_pinned_to_the_bundle_that_was_fetched(locked: tuple[site.Site, Path]) -> None:
    made, bundle = locked
    (settings,) = made.rendered.glob("images/*/packer/image.env")
    found = hashlib.sha256((bundle / "bundle.json").read_bytes()).hexdigest()
    assert f"BUNDLE_SHA256={found}\n" in settings.read_text().replace("'", "")
    (variables,) = made.rendered.glob("images/*/packer/*.auto.pkrvars.json")
    pinned = json.loads(variables.read_text())
    assert pinned["qemu_base_url"].startswith("https://cloud.debian.org/")
    assert pinned["qemu_base_checksum"] == base().checksum


def test_the_node_is_ready(node: NspawnMachine) -> None:
    assert "phase=done status=ok" in node.console()
