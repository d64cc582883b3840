"""One bake and its boots for all the checks of a release."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from imagegen.lab import disk as disks
from tests.support import bake, guest, programs, timeserver
from tests.vm import boots
from tools import cache

# This one is baked in each run of CI, and booted in each run; the other one when something in it has changed.
ALWAYS = bake.RELEASES[0]
_SEEN = "seen.json"
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
    nodes: {nodes}
time: {{servers: [192.168.76.1]}}
admin: {{user: {user}, sshAuthorizedKeys: ["{key}"]}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The baked image of a release, the key that its machines let in, and a folder to work in."""

    release: str
    image: bake.BakedImage
    key: Path
    work: Path


@pytest.fixture(scope="session", params=bake.RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    programs.require()
    named: str = request.param
    return named


@pytest.fixture(scope="session")
def site(release: str, tmp_path_factory: pytest.TempPathFactory) -> Site:
    work = tmp_path_factory.mktemp(release)
    key, spec = work / "key", work / "cluster.yaml"
    nodes = [{"name": name, "address": address} for name, address in boots.ADDRESSES.items()]
    spec.write_text(
        _SPEC.format(
            image=json.dumps(bake.image_section(release)),
            nodes=json.dumps(nodes),
            user=boots.USER,
            key=guest.new_key(key),
        ),
        encoding="utf-8",
    )
    anew = release == ALWAYS and bool(os.environ.get("CI"))
    return Site(release=release, image=bake.baked_image(spec, work, release, anew=anew), key=key, work=work)


@pytest.fixture(scope="session")
def sealed(site: Site) -> Iterator[Path]:
    """The baked disk's root file system, as the bake left it."""
    raw = disks.copy_raw(site.image.disk, site.work / "sealed.raw")
    with disks.mounted(raw, site.work / "sealed", read_only=True) as folder:
        yield folder
    raw.unlink()


@pytest.fixture(scope="session")
def declared(site: Site) -> dict[str, Any]:
    """What the image is declared to hold."""
    return site.image.declared


@pytest.fixture(scope="session")
def booted(site: Site) -> dict[str, Any]:
    """What was seen of two machines with the image: now, or when this very image was booted before.

    One release is booted each time. The other is booted when its disk is new, or how it is looked at; what was seen
    then is held to the checks again.
    """
    seen = _booted_now(site) if site.release == ALWAYS else _booted_once(site)
    _say(f"{site.release}, seconds: {', '.join(f'{name} {value:.0f}' for name, value in seen['seconds'].items())}")
    return seen


def _booted_now(site: Site) -> dict[str, Any]:
    _boot(site, site.work)
    return _read(site.work)


def _booted_once(site: Site) -> dict[str, Any]:
    looks = [inspect.getsource(part) for part in (boots, guest, timeserver)]
    looks += [boots.INSIDE.read_text(), boots.DROPPING.read_text()]
    key = cache.key(site.image.disk.parent.name, *looks)
    shelf = f"booted/{site.release}"
    _say(f"{site.release}: {'booted before, and unchanged since' if cache.find(shelf, key) else 'to be booted'}")
    return _read(cache.made(shelf, key, lambda folder: _boot(site, folder)))


def _boot(site: Site, folder: Path) -> None:
    seen = boots.observe(site.image, site.key, site.work)
    (folder / _SEEN).write_text(json.dumps(seen, indent=1), encoding="utf-8")


def _read(folder: Path) -> dict[str, Any]:
    seen: dict[str, Any] = json.loads((folder / _SEEN).read_text(encoding="utf-8"))
    return seen


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201
