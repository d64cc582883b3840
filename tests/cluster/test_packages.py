"""An image out of the vendors' packages: the default source, from signed repositories to a node that is Ready.

The repositories are this test's, at the vendors' paths, with the real programs in them; the machine asks them over a
network, as mirrors. Who signs them stands in the image's settings in the place of the vendors' own fingerprints.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any

import pytest

from imagegen.cli.common import load_assets
from imagegen.lab import disk, lab
from imagegen.lab.nspawn import NspawnMachine
from tests.cluster import alone, packaged, serving, site
from tests.support import programs, vendors
from tools import nspawn_bake
from tools.base import base
from tools.bundle import bundle

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

BUILD = IPv4Interface("10.79.0.1/24")
BUILD_MACHINE = "10.79.0.2/24"
SERVER = f"{BUILD.ip}:{serving.PORT}"
HOSTS = {"https": ("pkgs.k8s.io", "download.docker.com"), "http": ("ftp.debian.org",)}
MIRRORS = (
    *(f"{scheme}://{host}/=http://{SERVER}/{host}/" for scheme, hosts in HOSTS.items() for host in hosts),
    *(f"{host}/={SERVER}/{host}/" for host in ("registry.k8s.io", "ghcr.io")),
)
INVENTORY = "var/lib/imagegen-build/inventory.json"
KEYRING = "usr/share/keyrings/lab.asc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Baked:
    """A disk, what the bake said of it, and the site that it was baked for."""

    disk: Path
    site: site.Site
    report: dict[str, Any]
    inventory: dict[str, Any]
    seconds: dict[str, float]


@pytest.fixture(scope="module")
def baked(tmp_path_factory: pytest.TempPathFactory, report: list[str]) -> Iterator[Baked]:
    programs.require()
    folder = tmp_path_factory.mktemp("packages")
    signer = vendors.new_signer(folder / "gnupg")
    scratch, web = folder / "scratch", folder / "web"
    scratch.mkdir()
    packaged.lay_out(web, bundle(), signer, scratch)
    made = site.make(folder, {"name": "node", "os": "debian-12", "source": "packages"})
    made.render()
    packer = folder / "packer"
    (emitted,) = made.rendered.glob("images/*/packer")
    shutil.copytree(emitted, packer)
    tell(packer / "image.env", signer)
    with lab.opened(folder, operator=BUILD) as opened, serving.served(opened.network.name, str(BUILD.ip), web):
        bake = nspawn_bake.prepared(opened, "bake", base=base().disk, bundle=None, packer=packer)
        change_sources(bake.machine.root, signer)
        hosts = packaged.trust_registry(bake.machine.root, SERVER)
        bake.boot()
        bake.machine.shell(f"ip address add {BUILD_MACHINE} dev eth0 && ip link set eth0 up")
        bake.run_until("86-")
        said, taken = (json.loads((bake.machine.root / path).read_text()) for path in (nspawn_bake.REPORT, INVENTORY))
        bake.run_until(nspawn_bake.SEAL)
        hosts.unlink()
        raw = bake.finish(folder / "baked.raw")
    report.append("image of packages: " + ", ".join(f"{name} {value:.1f} s" for name, value in bake.seconds.items()))
    yield Baked(disk=raw, site=made, report=said, inventory=taken, seconds=bake.seconds)
    raw.unlink()


def tell(settings: Path, signer: vendors.Signer) -> None:
    """Who signs here, and where everything is asked for."""
    text = settings.read_text()
    for vendor in load_assets().catalog.vendors.repositories.values():
        assert vendor["apt"].fingerprint in text
        text = text.replace(vendor["apt"].fingerprint, signer.fingerprint)
    settings.write_text(text)
    packaged.set_mirrors(settings, MIRRORS)


def change_sources(root: Path, signer: vendors.Signer) -> None:
    """Debian's own addresses, as a cloud image has them, and this lab's key."""
    shutil.rmtree(root / "etc/apt/sources.list.d")
    (root / "etc/apt/sources.list.d").mkdir()
    line = f"deb [signed-by=/{KEYRING}] http://{packaged.DEBIAN} {packaged.DEBIAN_SUITE}\n"
    (root / "etc/apt/sources.list").write_text(line)
    (root / KEYRING).write_bytes(signer.public)


@pytest.fixture(scope="module")
def node(baked: Baked, tmp_path_factory: pytest.TempPathFactory, report: list[str]) -> Iterator[NspawnMachine]:
    """The control plane, Ready."""
    with alone.control_plane(baked.disk, baked.site, tmp_path_factory.mktemp("lab"), report) as machine:
        yield machine


def test_every_check_passed(baked: Baked) -> None:
    assert baked.report["passed"]
    kinds = {check["kind"] for check in baked.report["checks"]}
    assert kinds >= {"package", "hold", "binary", "unit", "content", "image", "setting"}


def test_programs_are_the_packages_own(baked: Baked) -> None:
    """Nothing was installed beside them."""
    installed = {package["name"]: package["version"] for package in baked.inventory["packages"]}
    assert installed["kubelet"] == f"{vendors.KUBERNETES}-1.1"
    assert installed["containerd.io"].startswith(f"{vendors.CONTAINERD}-")
    assert not any(entry["path"].startswith("/usr/local/") for entry in baked.inventory["binaries"])


def test_images_are_there_by_their_vendors_names(baked: Baked) -> None:
    hosts = {image["reference"].partition("/")[0] for image in baked.inventory["images"]}
    assert hosts == {"registry.k8s.io", "ghcr.io"}


def test_nothing_of_the_build_s_network_is_in_the_image(baked: Baked, tmp_path: Path) -> None:
    with disk.mounted(baked.disk, tmp_path / "root", read_only=True) as root:
        sources = [path for path in (root / "etc/apt").rglob("*") if path.is_file()]
        assert [path for path in sources if str(BUILD.ip) in path.read_text(errors="replace")] == []
        assert list((root / "run").rglob("imagegen*")) == []


def test_the_node_is_ready_with_the_vendors_programs(node: NspawnMachine) -> None:
    assert "phase=done status=ok" in node.console()
    running = {node.shell(f"readlink /proc/$(pidof {name})/exe").stdout.strip() for name in ("kubelet", "containerd")}
    assert running == {"/usr/bin/kubelet", "/usr/bin/containerd"}
    assert node.shell("systemctl --failed --plain --no-legend").stdout == ""
