"""The real containerd takes the OCI archives of a bundle, as the bake hands them to it."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imagegen.fetching.client import Client
from imagegen.fetching.registry import Registries
from imagegen.supply.mirrors import read_mirrors
from imagegen.supply.oci import read_reference
from tests.conftest import missing
from tests.support.origins import Signer, Vendors
from tests.support.server import Site, serve
from tests.tools.test_components import built

pytestmark = [pytest.mark.tools, pytest.mark.timeout(120)]
PAUSE = "registry.k8s.io/pause:3.10.2"
Ctr = Callable[..., str]
_CONFIG = """\
version = 3
root = "{folder}/root"
state = "{folder}/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime"]
[grpc]
address = "{folder}/socket"
"""


@pytest.fixture
def ctr() -> Iterator[Ctr]:
    """The client of a containerd that has a folder of its own."""
    if os.geteuid() != 0:
        missing("root's rights, which containerd needs,")
    # A socket has a short name or none.
    with tempfile.TemporaryDirectory(prefix="ctr-") as folder:
        config = Path(folder) / "config.toml"
        config.write_text(_CONFIG.format(folder=folder))
        with (Path(folder) / "log").open("w") as log:
            daemon = subprocess.Popen([built("containerd"), "--config", str(config)], stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + 60
            while not (Path(folder) / "socket").exists() and time.monotonic() < deadline:
                time.sleep(0.1)
            yield lambda *words: _run(folder, *words)
        finally:
            daemon.terminate()
            daemon.wait()


def _run(folder: str, *words: str) -> str:
    command = [str(built("ctr")), f"--address={folder}/socket", "--namespace=k8s.io", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_archive_is_imported_under_its_name(ctr: Ctr, tmp_path: Path) -> None:
    with serve(Site()) as site:
        digest = Vendors(site, tmp_path, Signer(tmp_path)).image(PAUSE, "amd64", "arm64")["amd64"]
        client = Client(read_mirrors([f"https://registry.k8s.io={site.url}/registry.k8s.io"]))
        registries, reference = Registries(client), read_reference(PAUSE, "")
        manifest = registries.resolve(reference, "amd64")
        archive = registries.save(reference, manifest, "amd64", tmp_path / "image")
        client.close()
    label = "--label=io.cri-containerd.pinned=pinned"
    ctr("images", "import", "--local", "--snapshotter=native", "--discard-unpacked-layers", label, str(archive))
    name, _, found, *rest = ctr("images", "list").splitlines()[1].split()
    assert (name, found) == (PAUSE, digest)
    assert "linux/amd64" in rest
    assert "io.cri-containerd.pinned=pinned" in rest
