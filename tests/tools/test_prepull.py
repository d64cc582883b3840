"""Images are pulled into the image by the real containerd, from a registry on loopback that stands for a mirror."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support import registry, rooted
from tests.support.specs import render, spec
from tests.tools.test_components import built

pytestmark = [pytest.mark.tools, pytest.mark.timeout(300)]
MIRROR = f"127.0.0.1:{registry.PORT}/google_containers/"
PAUSE = "registry.k8s.io/pause:3.10.2"
NEEDED = {
    *(f"registry.k8s.io/kube-{name}:v1.37.2" for name in ("apiserver", "controller-manager", "scheduler", "proxy")),
    PAUSE,
}
PIN = "io.cri-containerd.pinned=pinned"


def name_at_mirror(image: str) -> str:
    return "google_containers/" + image.rpartition("/")[2].partition(":")[0]


def pull(folder: Path, lock: list[dict[str, Any]] | None = None) -> Any:
    """Run the script that pulls, twice, in a root of its own."""
    work, programs = folder / "work", folder / "bin"
    programs.mkdir()
    for name in ("kubeadm", "containerd", "containerd-shim-runc-v2", "ctr"):
        shutil.copy(built(name), programs)
    rooted.ready(rooted.HOST)
    prefix = "images/demo/packer/"
    for path, file in render(spec(image={"source": "packages", "mirrors": "aliyun"}, network={"cni": "none"})).tree:
        if path.startswith(prefix):
            target = work / path.removeprefix(prefix)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.content)
    settings = work / "image.env"
    settings.write_text(settings.read_text().replace("registry.aliyuncs.com/google_containers/", MIRROR))
    shutil.copy(Path(registry.__file__), work)
    if lock is not None:
        (work / "lock.json").write_text(json.dumps({"files": lock}))
    (folder / "containerd").mkdir()
    folders = {"/var/tmp/imagegen": work, "/opt/bin": programs, "/var/lib/containerd": folder / "containerd"}
    said = rooted.run(
        rooted.HOST, "python3", "/var/tmp/imagegen/registry.py", folders=folders, IMAGEGEN_REGISTRY="serve"
    )
    return json.loads(said.splitlines()[-1])


def lines(pulled: Any) -> dict[str, str]:
    """`ctr images list` by image; the CRI plugin adds each under its id."""
    rows = {line.split()[0]: line for line in pulled["list"].splitlines()[1:]}
    return {name: line for name, line in rows.items() if not name.startswith("sha256:")}


def test_all_that_kubeadm_needs_is_pulled_under_its_own_name(tmp_path: Path) -> None:
    pulled = pull(tmp_path)
    assert [run["code"] for run in pulled["runs"]] == [0, 0], pulled["runs"]
    images = lines(pulled)
    assert images.keys() >= NEEDED
    assert any(name.startswith("registry.k8s.io/coredns/coredns:") for name in images)
    assert {name.partition("/")[0] for name in images} == {"registry.k8s.io"}
    assert [name for name, line in images.items() if PIN not in line] == []
    # The second run finds all of them there.
    assert pulled["runs"][0]["asked"] == pulled["runs"][1]["asked"]


def test_a_lock_s_digests_are_what_is_pulled(tmp_path: Path) -> None:
    names = {*NEEDED, "registry.k8s.io/coredns/coredns:v1.14.6", "registry.k8s.io/etcd:3.7.0-0"}
    lock = [
        {"kind": "image", "name": name, "digest": registry.digest(registry.Registry.manifest(name_at_mirror(name)))}
        for name in names
    ]
    pulled = pull(tmp_path, lock)
    assert [run["code"] for run in pulled["runs"]] == [0, 0], pulled["runs"]
    found = {name: line.split()[2] for name, line in lines(pulled).items()}
    assert found == {image["name"]: image["digest"] for image in lock}
    assert not any("/manifests/v1.37.2" in line for line in pulled["asked"])


def test_an_image_that_the_lock_lacks_stops_the_bake(tmp_path: Path) -> None:
    pulled = pull(tmp_path, [])
    assert pulled["runs"][0]["code"] == 1
    assert "lock.json has no digest of registry.k8s.io/" in pulled["runs"][0]["said"]
