"""One bake and one boot for all the checks."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from imagegen.lab import disk as disks
from tests.support import bake, guest, programs

ADDRESS = "192.168.76.21"
USER = "vmtest"
_BOOT_LIMIT = 900
_SPEC = """\
apiVersion: imagegen/v1alpha1
kind: Cluster
metadata: {{name: vm}}
provider: {{type: qemu}}
kubernetes: {{version: "1.37.2"}}
image: {image}
network:
  nodeCIDRs: [192.168.76.0/24]
  gateway: 192.168.76.1
  cni: flannel
controlPlane:
  endpoint: 192.168.76.11:6443
  nodes:
    - {{name: cp1, address: 192.168.76.11}}
nodePools:
  - name: workers
    nodes:
      - {{name: worker1, address: {address}}}
time: {{servers: [192.168.76.1]}}
admin: {{user: {user}, sshAuthorizedKeys: ["{key}"]}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The baked image, and the key that its machines let in."""

    image: bake.BakedImage
    key: Path


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    programs.require()
    return tmp_path_factory.mktemp("vm")


@pytest.fixture(scope="session")
def site(work: Path) -> Site:
    key = work / "key"
    spec = work / "cluster.yaml"
    spec.write_text(
        _SPEC.format(image=json.dumps(bake.image_section()), address=ADDRESS, user=USER, key=guest.new_key(key)),
        encoding="utf-8",
    )
    return Site(image=bake.baked_image(spec, work), key=key)


@pytest.fixture(scope="session")
def sealed(site: Site, work: Path) -> Iterator[Path]:
    """The baked disk's root file system, as the bake left it."""
    raw = disks.copy_raw(site.image.disk, work / "sealed.raw")
    with disks.mounted(raw, work / "sealed", read_only=True) as folder:
        yield folder
    raw.unlink()


@pytest.fixture(scope="session")
def worker(site: Site, work: Path) -> Iterator[guest.Guest]:
    """A worker whose control plane does not exist, after cloud-init has come to its end."""
    seed = site.image.cluster_folder / "nocloud" / "worker1"
    with guest.booted(site.image.disk, seed, work, address=ADDRESS, user=USER, key=site.key) as machine:
        login = machine.wait_for_ssh(_BOOT_LIMIT)
        before = time.monotonic()
        machine.run("cloud-init status --wait", check=False, limit=_BOOT_LIMIT)
        waited = time.monotonic() - before
        print(f"boot: {login:.0f} s to a login, {waited:.0f} s more to cloud-init's end")  # noqa: T201
        yield machine
