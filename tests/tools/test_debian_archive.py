"""Debian's own packages, locked and bundled from the mirror that this machine's apt uses, and apt's word on them."""

from __future__ import annotations

import subprocess
from hashlib import sha256
from pathlib import Path

import pytest
import yaml

from imagegen.cli.common import load_assets
from tests.conftest import missing
from tests.fetching.conftest import filled, signer
from tests.support import rooted, specs
from tests.support.archives import own_mirrors
from tests.support.origins import Signer, Vendors
from tests.support.server import Site, serve
from tools import debian

__all__ = ["filled", "signer"]
SUITE = "bookworm"
PACKAGES = (*load_assets().catalog.families["apt"].packages, "runc")
pytestmark = [pytest.mark.tools, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def packages(
    filled: dict[str, bytes],
    signer: Signer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The packages of a bundle that was locked and fetched just now; everything else in it is a stub."""
    mirrors = own_mirrors(SUITE)
    if not mirrors:
        missing("a mirror of Debian's archive")
    folder = tmp_path_factory.mktemp("archive")
    spec = folder / "demo.yaml"
    spec.write_text(yaml.safe_dump(specs.spec(image={"source": "bundle"})))
    with serve(Site(files=filled)) as site:
        # Later options win where they are longer: Debian's are this machine's, all else is on loopback.
        options = [*Vendors(site, folder, signer).mirrors, *mirrors]
        locked = specs.run("lock", spec, *options)
        assert locked.exit_code == 0, locked.stderr
        assert "its signature was not checked" not in locked.stderr
        options = [option for option in options if option != "--keyring" and not option.endswith("public.gpg")]
        made = specs.run("bundle", spec, "--out", folder / "bundle", *options)
        assert made.exit_code == 0, made.stderr
    return folder / "bundle" / "packages"


@pytest.fixture(scope="module")
def status() -> Path:
    """What a small Debian has installed, by dpkg."""
    return rooted.ready(SUITE) / "var" / "lib" / "dpkg" / "status"


def test_it_has_all_that_apt_would_fetch(packages: Path, status: Path, tmp_path: Path) -> None:
    debian.download(PACKAGES, suite=SUITE, installed=status, folder=tmp_path)
    fetched = {path.name.partition("_")[0] for path in tmp_path.glob("cache/archives/*.deb")}
    assert set(PACKAGES) - {"python3-yaml"} <= fetched
    assert fetched <= {path.stem for path in packages.iterdir()}


def paragraph(path: Path) -> str:
    """What an index says of a package."""
    command = ["dpkg-deb", "--field", str(path)]
    fields = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    digest = sha256(path.read_bytes()).hexdigest()
    return f"{fields}Filename: packages/{path.name}\nSize: {path.stat().st_size}\nSHA256: {digest}\n"


def test_apt_installs_from_it_alone(packages: Path, status: Path, tmp_path: Path) -> None:
    (tmp_path / "packages").symlink_to(packages)
    (tmp_path / "Packages").write_text("\n".join(paragraph(path) for path in sorted(packages.iterdir())))
    (tmp_path / "sources.list").write_text(f"deb [trusted=yes] file:{tmp_path} ./\n")
    for name in ("state/lists/partial", "cache/archives/partial"):
        (tmp_path / name).mkdir(parents=True)
    apt = [
        "apt-get",
        "--quiet=2",
        f"-oDir::State={tmp_path}/state",
        f"-oDir::State::status={status}",
        f"-oDir::Cache={tmp_path}/cache",
        f"-oDir::Etc::SourceList={tmp_path}/sources.list",
        "-oDir::Etc::SourceParts=/dev/null",
        "-oDir::Etc::PreferencesParts=/dev/null",
        "-oAPT::Sandbox::User=root",
        "-oDebug::NoLocking=true",
    ]
    subprocess.run([*apt, "update"], check=True)
    simulated = subprocess.run(
        [*apt, "install", "--simulate", "--no-install-recommends", "--assume-yes", *PACKAGES],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "Inst chrony" in simulated
    removed = {line.split()[1] for line in simulated.splitlines() if line.startswith("Remv ")}
    # chrony takes its place.
    assert removed <= {"systemd-timesyncd"}
