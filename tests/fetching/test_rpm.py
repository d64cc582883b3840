"""`imagegen lock` and `imagegen bundle` of the dnf family, against repositories that createrepo_c made."""

from __future__ import annotations

import gzip
import lzma
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import missing
from tests.fetching.conftest import Run
from tests.fetching.test_bundle import baked_check
from tests.support import rpms, specs
from tests.support.origins import KUBERNETES, Signer, Vendors
from tests.support.server import Site, serve

REPOMD = f"/{rpms.BASEOS.partition('://')[2]}/repodata/repomd.xml"


@pytest.fixture(scope="module")
def made(signer: Signer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    for program in ("rpmbuild", "createrepo_c"):
        if shutil.which(program) is None:
            missing(program)
    return rpms.everything(tmp_path_factory.mktemp("rpms"), signer)


@pytest.fixture
def vendors(filled: dict[str, bytes], made: dict[str, bytes], signer: Signer, tmp_path: Path) -> Iterator[Vendors]:
    with serve(Site(files={**filled, **made})) as site:
        yield Vendors(site, tmp_path / "packages", signer)


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "demo.yaml"
    write(path)
    return path


def write(spec: Path, **image: Any) -> None:
    spec.write_text(yaml.safe_dump(specs.spec(image={"os": "rocky-9", "source": "bundle", **image})))


def read(spec: Path) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(spec.with_name("demo.lock.yaml").read_text())["architectures"]["amd64"]
    return data


def packages(spec: Path) -> dict[str, dict[str, Any]]:
    return {file["name"]: file for file in read(spec)["files"] if file["kind"] == "package"}


def test_packages_come_with_what_they_need_and_without_what_every_machine_has(
    lock: Run, spec: Path, vendors: Vendors
) -> None:
    result = lock()
    assert result.exit_code == 0, result.stderr
    found = packages(spec)
    # By name, by library, by a file that primary.xml does not list, by conditions, by what there is of several.
    assert {"chrony", "libedit", "odd", "chrony-for-dnf", "libseccomp", "libmnl"} <= set(found)
    assert not set(found) & {"dnf", "python3", "libcap", "chrony-for-nothing", "chrony-weak"}
    # What must be of one version comes along, for the machine may have another.
    assert {"systemd-udev", "systemd", "systemd-libs"} <= set(found)
    assert not [name for name in found if name.startswith("kube")]
    address = f"{rpms.BASEOS}/x86_64/chrony-4.6-1.el9.x86_64.rpm"
    content = vendors.site.files[vendors.path(address)]
    assert found["chrony"] == {
        "path": "packages/chrony.rpm",
        "kind": "package",
        "name": "chrony",
        "version": "4.6-1.el9",
        "url": address,
        "sha256": sha256(content).hexdigest(),
        "size": len(content),
    }
    assert {"runc", "kubelet"} <= {file["name"] for file in read(spec)["files"] if file["kind"] == "binary"}


def test_the_newest_that_a_machine_would_see(lock: Run, spec: Path) -> None:
    assert lock().exit_code == 0
    found = packages(spec)
    assert found["ipset"]["version"] == "7.11-8.el9"
    # Another machine's, and a module's.
    assert found["nftables"]["version"] == "1.0.9-3.el9"
    assert found["jq"]["version"] == "1.6-17.el9"


def test_the_newest_disk_is_not_the_last_in_the_alphabet(lock: Run, spec: Path, vendors: Vendors) -> None:
    assert lock().exit_code == 0
    url = f"{rpms.DISKS}Rocky-9-GenericCloud-Base-9.10-20261120.0.x86_64.qcow2"
    assert read(spec)["base"] == {"url": url, "sha256": sha256(vendors.site.files[vendors.path(url)]).hexdigest()}


def test_the_vendors_packages_in_the_version_of_the_spec(lock: Run, spec: Path) -> None:
    write(spec, source="packages")
    result = lock()
    assert result.exit_code == 0, result.stderr
    found = packages(spec)
    versions = {found[name]["version"] for name in ("kubeadm", "kubectl", "kubelet")}
    assert versions == {f"{KUBERNETES}-150500.1.1"}
    assert found["kubelet"]["url"].startswith(f"{rpms.KUBERNETES}/x86_64/kubelet-{KUBERNETES}-")
    assert found["containerd.io"]["version"] == "2.3.7-1.el9"
    assert {"kubernetes-cni", "container-selinux"} <= set(found)
    # Docker's index has no signature beside it.
    warned = re.findall("warning: (.*): its signature was not checked: there is none beside it", result.stderr)
    assert warned == [f"{rpms.DOCKER}/repodata/repomd.xml"]


def test_alma_has_the_same_elsewhere(lock: Run, spec: Path, made: dict[str, bytes], vendors: Vendors) -> None:
    write(spec, os="almalinux-9")
    files = vendors.site.files
    for path in made:
        if path.startswith("/dl.rockylinux.org/"):
            files[path.replace("/dl.rockylinux.org/pub/rocky/", "/repo.almalinux.org/almalinux/")] = files.pop(path)
    disk = (
        "https://repo.almalinux.org/almalinux/9/cloud/x86_64/images/AlmaLinux-9-GenericCloud-9.10-20261120.x86_64.qcow2"
    )
    folder, _, name = disk.rpartition("/")
    names = (
        "AlmaLinux-9-GenericCloud-9.9-20261101.1.x86_64.qcow2",
        name,
        "AlmaLinux-9-GenericCloud-latest.x86_64.qcow2",
    )
    vendors.put(f"{folder}/", "".join(f'<a href="{one}">{one}</a>\n' for one in names).encode())
    vendors.put(disk, b"a disk" * 500)
    vendors.put(f"{folder}/CHECKSUM", f"{sha256(b'a disk' * 500).hexdigest()}  {name}\n".encode())
    result = lock()
    assert result.exit_code == 0, result.stderr
    assert read(spec)["base"]["url"] == disk
    assert packages(spec)["jq"]["url"].startswith(
        "https://repo.almalinux.org/almalinux/9/AppStream/x86_64/os/x86_64/jq-1.6"
    )


def test_nothing_new_is_nothing_written(lock: Run, spec: Path, vendors: Vendors) -> None:
    assert lock().exit_code == 0
    vendors.site.heard.clear()
    assert lock().stdout == f"{spec.with_name('demo.lock.yaml')}: nothing new\n"
    assert not [path for path, _ in vendors.site.heard if path.endswith((".rpm", ".qcow2"))]


def test_the_bake_takes_the_bundle(lock: Run, bundle: Run, spec: Path, tmp_path: Path) -> None:
    assert lock().exit_code == 0
    result = bundle()
    assert result.exit_code == 0, result.stderr
    folder = tmp_path / "bundle"
    assert baked_check(folder, sha256((folder / "bundle.json").read_bytes()).hexdigest()) == ""
    assert (folder / "packages" / "chrony.rpm").exists()
    assert specs.run("lock", spec, "--check").exit_code == 0


def test_an_index_that_somebody_else_signed(lock: Run, vendors: Vendors) -> None:
    vendors.site.files[REPOMD] += b"\n"
    result = lock()
    assert result.exit_code == 3
    assert f"{rpms.BASEOS}/repodata/repomd.xml (by way of " in result.stderr
    assert "its index has no good signature: " in result.stderr


def test_a_list_that_is_not_what_the_index_says(lock: Run, vendors: Vendors) -> None:
    (primary,) = [path for path in vendors.site.files if "/BaseOS/" in path and "primary.xml" in path]
    vendors.site.files[primary] += b" "
    result = lock()
    assert result.exit_code == 3
    assert "the repository is being updated, or a mirror lies" in result.stderr


def test_a_package_that_is_not_what_the_list_says(lock: Run, vendors: Vendors) -> None:
    address = f"{rpms.APPSTREAM}/x86_64/jq-1.6-17.el9.x86_64.rpm"
    vendors.put(address, vendors.site.files[vendors.path(address)][::-1])
    result = lock()
    assert result.exit_code == 3
    assert f"{address} (by way of " in result.stderr
    assert lock("--trust-index").exit_code == 0


def packed(vendors: Vendors, suffix: str, content: bytes) -> None:
    """BaseOS, its list of packages compressed in another way."""
    files = vendors.site.files
    (primary,) = [path for path in files if "/BaseOS/" in path and "primary.xml" in path]
    index, before, now = files[REPOMD].decode(), sha256(files[primary]).hexdigest(), sha256(content).hexdigest()
    # createrepo_c has the hash in the file's name, too.
    index = index.replace(f"{before}-primary.xml.gz", f"{now}-primary.xml{suffix}").replace(before, now)
    other = f"{primary.rpartition('/')[0]}/{now}-primary.xml{suffix}"
    files[other] = content
    files[REPOMD] = index.encode()
    files[f"{REPOMD}.asc"] = vendors.signer.sign_apart(index)


def test_lists_that_are_compressed_by_xz(lock: Run, made: dict[str, bytes], vendors: Vendors) -> None:
    (primary,) = [path for path in made if "/BaseOS/" in path and "primary.xml" in path]
    packed(vendors, ".xz", lzma.compress(gzip.decompress(made[primary])))
    result = lock()
    assert result.exit_code == 0, result.stderr


def test_and_by_zstd_where_nothing_reads_it(lock: Run, vendors: Vendors, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("imagegen.fetching.repositories.import_module", nothing)
    packed(vendors, ".zst", b"\x28\xb5\x2f\xfd")
    result = lock()
    assert result.exit_code == 3
    assert (
        "it is compressed by zstd\n    Python 3.14 reads that; an older one with `pip install backports"
        in result.stderr
    )


def test_a_package_that_nobody_has(lock: Run, spec: Path) -> None:
    write(spec, source="packages", containerd="2.3.6")
    result = lock()
    assert result.exit_code == 3
    assert "the image needs containerd.io 2.3.6-…, which the archives do not have" in result.stderr


def test_a_need_that_nothing_of_the_machine_meets(lock: Run, vendors: Vendors, signer: Signer, tmp_path: Path) -> None:
    # Another machine has it.
    stubs = [replace(stub, machine="i686") if stub.name == "libedit" else stub for stub in rpms.baseos()]
    folder = tmp_path / "rpms"
    folder.mkdir()
    vendors.site.files.update(rpms.repository(rpms.BASEOS, stubs, folder, signer))
    result = lock()
    assert result.exit_code == 3
    said = "the image's packages do not fit together: nothing provides libedit.so.0()(64bit) needed by chrony-4.6-1.el9"
    assert said in result.stderr


@pytest.mark.parametrize(("os", "why"), [("rhel-9", "subscription"), ("alinux-3", "Alibaba Cloud Linux")])
@pytest.mark.parametrize("source", ["bundle", "packages"])
def test_systems_whose_packages_are_not_for_everybody(lock: Run, spec: Path, os: str, why: str, source: str) -> None:
    write(spec, os=os, source=source, qemu={"source": "/srv/base.qcow2", "checksum": f"sha256:{0:064x}"})
    data = yaml.safe_load(spec.read_text())
    data.setdefault("network", {})["kubeProxy"] = {"mode": "iptables"}
    spec.write_text(yaml.safe_dump(data))
    result = lock()
    assert result.exit_code == 1
    assert why in result.stderr
    assert "so its packages cannot be locked: `source: binaries` locks all else" in result.stderr


@pytest.mark.parametrize("os", ["rhel-9", "alinux-4"])
def test_and_all_else_of_them(lock: Run, spec: Path, os: str) -> None:
    write(spec, os=os, source="binaries", qemu={"source": "/srv/base.qcow2", "checksum": f"sha256:{0:064x}"})
    result = lock()
    assert result.exit_code == 0, result.stderr
    assert packages(spec) == {}
    assert {"kubelet", "containerd", "runc"} <= {file["name"] for file in read(spec)["files"]}
    assert "base" not in read(spec)
    assert specs.run("lock", spec, "--check").exit_code == 0


def test_without_libsolv(lock: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imagegen.cli.lock.find_spec", lambda _: None)
    result = lock()
    assert result.exit_code == 1
    assert "to lock rocky-9, libsolv is needed: pip install solv" in result.stderr


def test_arm64(lock: Run, spec: Path, vendors: Vendors, signer: Signer, tmp_path: Path) -> None:
    write(spec, architecture="arm64")
    files = vendors.site.files
    for url, stubs in ((rpms.BASEOS, rpms.baseos()), (rpms.APPSTREAM, rpms.appstream())):
        folder = tmp_path / url.split("/")[-3]
        folder.mkdir()
        files.update(rpms.repository(url.replace("x86_64", "aarch64"), map(rpms.turned, stubs), folder, signer))
    files.update(rpms.disks("aarch64"))
    result = lock()
    assert result.exit_code == 0, result.stderr
    locked = yaml.safe_load(spec.with_name("demo.lock.yaml").read_text())["architectures"]["arm64"]
    assert locked["base"]["url"].endswith("/aarch64/Rocky-9-GenericCloud-Base-9.10-20261120.0.aarch64.qcow2")
    found = {file["name"]: file for file in locked["files"] if file["kind"] == "package"}
    assert found["nftables"]["url"] == f"{rpms.BASEOS}/nftables-1.0.9-3.el9.aarch64.rpm".replace(
        "x86_64/os/", "aarch64/os/aarch64/"
    )
    assert {"chrony", "libedit", "odd", "systemd-udev"} <= set(found)
