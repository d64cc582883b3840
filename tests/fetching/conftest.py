"""The vendors on loopback, and a spec whose image is locked to what they have."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from typer.testing import Result

from tests.conftest import missing
from tests.support import specs
from tests.support.origins import Signer, Vendors
from tests.support.server import Site, serve

Run = Callable[..., Result]


@pytest.fixture(scope="session")
def signer() -> Iterator[Signer]:
    for program in ("gpg", "gpgv", "dpkg-deb"):
        if shutil.which(program) is None:
            missing(program)
    # The agent's socket has a short name or none.
    with tempfile.TemporaryDirectory(prefix="gpg-", ignore_cleanup_errors=True) as home:
        made = Signer(Path(home))
        made.make()
        yield made
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=True)


@pytest.fixture(scope="session")
def filled(signer: Signer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    vendors = Vendors(Site(), tmp_path_factory.mktemp("packages"), signer)
    vendors.fill("amd64")
    vendors.fill("arm64")
    return vendors.site.files


@pytest.fixture
def vendors(filled: dict[str, bytes], signer: Signer, tmp_path: Path) -> Iterator[Vendors]:
    with serve(Site(files=dict(filled))) as site:
        yield Vendors(site, tmp_path / "packages", signer)


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "demo.yaml"
    path.write_text(yaml.safe_dump(specs.spec(image={"source": "bundle"})))
    return path


@pytest.fixture
def lock(vendors: Vendors, spec: Path) -> Run:
    """`imagegen lock`, with this server in the place of all vendors."""
    return lambda *options: specs.run("lock", spec, *vendors.mirrors, *options)


@pytest.fixture
def bundle(vendors: Vendors, spec: Path, tmp_path: Path) -> Run:
    return lambda *options: specs.run("bundle", spec, "--out", tmp_path / "bundle", *vendors.only_mirrors, *options)
