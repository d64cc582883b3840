"""`imagegen lock` and `imagegen bundle` of Ubuntu's systems, against all vendors on loopback."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fetching.conftest import Run
from tests.support import specs
from tests.support.origins import KUBERNETES, Vendors

SYSTEMS = {"ubuntu-22.04": "jammy", "ubuntu-24.04": "noble", "ubuntu-26.04": "resolute"}
NEWEST = "release-20261110.1/ubuntu-24.04-server-cloudimg-amd64.img"


def write(spec: Path, **image: Any) -> None:
    spec.write_text(yaml.safe_dump(specs.spec(image={"os": "ubuntu-24.04", "source": "bundle", **image})))


def locked(spec: Path, architecture: str = "amd64") -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(spec.with_name("demo.lock.yaml").read_text())["architectures"][architecture]
    return data


def packages(spec: Path, architecture: str = "amd64") -> dict[str, dict[str, Any]]:
    return {file["name"]: file for file in locked(spec, architecture)["files"] if file["kind"] == "package"}


@pytest.mark.parametrize("os", SYSTEMS)
def test_the_newest_of_all_suites_and_components(lock: Run, spec: Path, vendors: Vendors, os: str) -> None:
    write(spec, os=os)
    vendors.ubuntu(SYSTEMS[os], "amd64")
    disk = vendors.ubuntu_disks(os.removeprefix("ubuntu-"), "amd64")[-1]
    result = lock()
    assert result.exit_code == 0, result.stderr
    assert "its signature was not checked" not in result.stderr
    found = packages(spec)
    # Of main and of universe, of the updates and of security's own server.
    assert {"chrony", "conntrack", "libcap2", "iproute2", "libnl-3-200", "runc"} <= set(found)
    assert found["jq"]["version"] == "1.1-0ubuntu1"
    assert found["nftables"]["url"] == ("http://security.ubuntu.com/ubuntu/pool/main/nftables_1.1-0ubuntu2_amd64.deb")
    assert not set(found) & {"dpkg", "libc6"}
    content = vendors.site.files[vendors.path(disk)]
    assert locked(spec)["base"] == {"url": disk, "sha256": sha256(content).hexdigest()}


def test_arm64_comes_from_the_ports(lock: Run, spec: Path, vendors: Vendors) -> None:
    write(spec, architecture="arm64")
    vendors.ubuntu("noble", "arm64")
    vendors.ubuntu_disks("24.04", "arm64")
    result = lock()
    assert result.exit_code == 0, result.stderr
    addresses = {file["url"].rpartition("/pool")[0] for file in packages(spec, "arm64").values()}
    assert addresses == {"http://ports.ubuntu.com/ubuntu-ports"}
    assert not [path for path, _ in vendors.site.heard if path.startswith("/archive.ubuntu.com")]


def test_the_vendors_packages_of_the_release(lock: Run, spec: Path, vendors: Vendors) -> None:
    write(spec, source="packages")
    vendors.ubuntu("noble", "amd64")
    vendors.ubuntu_disks("24.04", "amd64")
    vendors.vendors_debs("ubuntu", "noble", "amd64")
    result = lock()
    assert result.exit_code == 0, result.stderr
    found = packages(spec)
    assert found["containerd.io"]["version"] == "2.3.7-1~noble"
    assert found["containerd.io"]["url"].startswith("https://download.docker.com/linux/ubuntu/pool/")
    assert {found[name]["version"] for name in ("kubeadm", "kubectl", "kubelet")} == {f"{KUBERNETES}-1.1"}
    assert "kubernetes-cni" in found
    assert "runc" not in found


def test_an_archive_on_plain_http_is_not_believed_without_its_key(
    lock: Run, spec: Path, vendors: Vendors, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(spec)
    vendors.ubuntu("noble", "amd64")
    vendors.ubuntu_disks("24.04", "amd64")
    monkeypatch.setattr("imagegen.fetching.signatures.shutil.which", lambda _: None)
    result = lock()
    assert result.exit_code == 3
    assert "http://archive.ubuntu.com/ubuntu/dists/noble (by way of " in result.stderr
    assert "it came by plain HTTP, and its signature was not checked: there is no gpgv on this machine" in result.stderr
    assert "name it by --keyring, or an https mirror by --mirror" in result.stderr
    assert not spec.with_name("demo.lock.yaml").exists()


def test_another_build_of_the_disk_is_said_by_its_folder(lock: Run, spec: Path, vendors: Vendors) -> None:
    write(spec)
    vendors.ubuntu("noble", "amd64")
    vendors.ubuntu_disks("24.04", "amd64")
    listing = vendors.path("https://cloud-images.ubuntu.com/releases/24.04/")
    whole = vendors.site.files[listing]
    vendors.site.files[listing] = whole.replace(b"release-20261110.1", b"release-20261110")
    assert lock().exit_code == 0
    vendors.site.files[listing] = whole
    result = lock()
    older = NEWEST.replace(".1/", "/")
    assert f"    amd64: base disk {older} → {NEWEST}\n" in result.stdout, result.stderr


def test_its_bundle_is_what_was_locked(lock: Run, bundle: Run, spec: Path, vendors: Vendors, tmp_path: Path) -> None:
    write(spec)
    vendors.ubuntu("noble", "amd64")
    vendors.ubuntu_disks("24.04", "amd64")
    assert lock().exit_code == 0
    result = bundle()
    assert result.exit_code == 0, result.stderr
    for file in packages(spec).values():
        assert sha256((tmp_path / "bundle" / file["path"]).read_bytes()).hexdigest() == file["sha256"]
