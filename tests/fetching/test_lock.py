"""`imagegen lock` against all vendors on loopback."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fetching.conftest import Run
from tests.support import specs
from tests.support.origins import BUILDS, KUBERNETES, Vendors, image_names

KUBELET = f"https://dl.k8s.io/release/v{KUBERNETES}/bin/linux/amd64/kubelet"


@pytest.fixture
def file(spec: Path) -> Path:
    return spec.with_name("demo.lock.yaml")


def read(file: Path, architecture: str = "amd64") -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(file.read_text())["architectures"][architecture]
    return data


def by_name(file: Path) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in read(file)["files"]}


def test_everything_is_found_and_hashed(lock: Run, file: Path, vendors: Vendors) -> None:
    result = lock()
    assert result.exit_code == 0, result.stderr
    assert "wrote" in result.stdout
    files = by_name(file)
    kubelet = vendors.site.files[vendors.path(KUBELET)]
    assert files["kubelet"] == {
        "path": "bin/kubelet",
        "kind": "binary",
        "name": "kubelet",
        "version": KUBERNETES,
        "url": KUBELET,
        "sha256": sha256(kubelet).hexdigest(),
        "size": len(kubelet),
    }
    assert files["containerd"]["archive"]["member"] == "bin/containerd"
    assert files["bridge"]["sha256"] == sha256(b"bridge amd64\n").hexdigest()
    assert [image["name"] for image in read(file)["images"]] == sorted(
        image_names(), key=lambda name: name.replace("/", "_")
    )
    assert read(file)["base"]["url"].endswith(f"/{BUILDS[-1]}/debian-12-genericcloud-amd64-{BUILDS[-1]}.qcow2")


def test_packages_come_with_what_they_need_and_without_what_every_system_has(lock: Run, file: Path) -> None:
    assert lock().exit_code == 0
    packages = {entry["name"] for entry in read(file)["files"] if entry["kind"] == "package"}
    assert {"chrony", "libcap2", "iproute2", "libmnl0", "libnl-3-200", "runc"} <= packages
    assert not packages & {"dpkg", "libc6", "kubernetes-cni"}


def test_a_lock_has_the_vendors_addresses_alone(lock: Run, file: Path, vendors: Vendors) -> None:
    assert lock().exit_code == 0
    assert vendors.site.url not in file.read_text()
    assert "127.0.0.1" not in file.read_text()


def test_the_environment_may_name_mirrors(
    vendors: Vendors, spec: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEGEN_MIRRORS", " ".join(vendors.only_mirrors[1::2]))
    assert specs.run("lock", spec, "--keyring", vendors.signer.keyring).exit_code == 0
    assert file.exists()


def test_nothing_new_is_nothing_written_and_little_asked(lock: Run, file: Path, vendors: Vendors) -> None:
    assert lock().exit_code == 0
    before = file.read_bytes(), file.stat().st_mtime_ns
    vendors.site.heard.clear()
    again = lock()
    assert again.stdout == f"{file}: nothing new\n"
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before
    asked = [path for path, _ in vendors.site.heard]
    assert not [path for path in asked if path.endswith((".deb", ".qcow2", ".tgz", "/kubelet")) or "/blobs/" in path]


def test_what_changed_is_said_in_words(lock: Run, file: Path, vendors: Vendors) -> None:
    assert lock().exit_code == 0
    vendors.runc = "1.1.5+ds1-1+deb12u1"
    vendors.debian("amd64")
    layer = b"another layer" * 100
    digests = vendors.image("registry.k8s.io/pause:3.10.2", "amd64", layer=layer)
    result = lock()
    assert result.stdout.splitlines() == [
        f"wrote {file}:",
        "    amd64: registry.k8s.io/pause 3.10.2: the same version, but other bytes or another address",
        "    amd64: runc 1.1.5+ds1-1+b1 → 1.1.5+ds1-1+deb12u1",
    ]
    assert digests["amd64"] in file.read_text()


def test_another_kubernetes(lock: Run, spec: Path, file: Path) -> None:
    assert lock().exit_code == 0
    spec.write_text(spec.read_text().replace(KUBERNETES, "1.37.1"))
    checked = specs.run("lock", spec, "--check")
    assert checked.exit_code == 1
    assert "error[IG290]: Kubernetes is 1.37.1 in the spec, and 1.37.2 is locked" in checked.stderr
    # The vendor has none of it.
    failed = lock()
    assert failed.exit_code == 3
    assert "/release/v1.37.1/bin/linux/amd64/" in failed.stderr
    assert "the server has no such file (404)" in failed.stderr
    assert f"kubernetes: {KUBERNETES}\n" in file.read_text()
    assert not list(file.parent.glob(".*"))


def test_a_second_architecture_is_added_and_the_first_kept(lock: Run, spec: Path, file: Path, vendors: Vendors) -> None:
    assert lock().exit_code == 0
    first = read(file)
    assert specs.run("lock", spec, "--check", "-A", "arm64").exit_code == 1
    vendors.site.heard.clear()
    result = lock("--architecture", "arm64")
    assert result.stdout.splitlines()[1:] == ["    arm64: new"]
    assert read(file) == first
    assert {entry["name"] for entry in read(file, "arm64")["files"]} == {entry["name"] for entry in first["files"]}
    assert not [path for path, _ in vendors.site.heard if "amd64" in path]
    assert specs.run("lock", spec, "--check", "-A", "arm64").exit_code == 0


def test_check_without_a_lock(spec: Path) -> None:
    result = specs.run("lock", spec, "--check")
    assert result.exit_code == 1
    assert result.stderr.endswith(f"demo.lock.yaml: there is no lock: run `imagegen lock {spec}`\n")


def test_json(lock: Run, file: Path) -> None:
    result = lock("--format", "json")
    image = json.loads(result.stdout)["images"][0]
    assert image == {
        "name": "demo",
        "file": str(file),
        "written": True,
        "changes": [],
        "architectures": ["amd64"],
        "notes": [],
    }


def test_a_vendor_whose_sum_is_not_that_of_his_file(lock: Run, file: Path, vendors: Vendors) -> None:
    vendors.put(f"{KUBELET}.sha256", b"0" * 64)
    result = lock()
    assert result.exit_code == 3
    assert f"{KUBELET} (by way of {vendors.site.url}/dl.k8s.io/" in result.stderr
    assert f"expected sha256 {'0' * 64}, found " in result.stderr
    assert not file.exists()


def test_a_package_that_is_not_what_the_index_says(lock: Run, file: Path, vendors: Vendors) -> None:
    address = "https://ftp.debian.org/debian/pool/main/jq_1.0-1_amd64.deb"
    vendors.put(address, vendors.site.files[vendors.path(address)][::-1])
    result = lock()
    assert result.exit_code == 3
    assert f"{address} (by way of" in result.stderr
    # With the index alone nobody looks at it.
    assert lock("--trust-index").exit_code == 0
    assert file.exists()


def test_an_index_that_is_not_what_the_release_says(lock: Run, vendors: Vendors) -> None:
    for path in list(vendors.site.files):
        if "/debian/dists/bookworm/main/binary-amd64/" in path:
            vendors.site.files[path] += b" "
    result = lock()
    assert result.exit_code == 3
    assert "the archive is being updated, or a mirror lies" in result.stderr


def test_an_index_that_somebody_else_signed(lock: Run, vendors: Vendors) -> None:
    path = vendors.path("https://ftp.debian.org/debian/dists/bookworm/InRelease")
    vendors.site.files[path] = vendors.site.files[path].replace(b"Origin: Stub", b"Origin: Thief")
    result = lock()
    assert result.exit_code == 3
    assert "its index has no good signature: " in result.stderr
    assert "do not use what is there" in result.stderr


def test_an_index_that_nobody_can_check_is_said_so(lock: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imagegen.fetching.signatures.shutil.which", lambda _: None)
    result = lock()
    assert result.exit_code == 0
    warning = "warning: https://ftp.debian.org/debian/dists/bookworm: its signature was not checked: there is no gpgv"
    assert warning in result.stderr
    assert file.exists()


def test_a_signature_beside_the_index(lock: Run, vendors: Vendors) -> None:
    place = vendors.path("https://ftp.debian.org/debian/dists/bookworm")
    signed = vendors.site.files.pop(f"{place}/InRelease")
    text = signed.decode().partition("\n\n")[2].partition("\n-----BEGIN")[0] + "\n"
    vendors.site.files[f"{place}/Release"] = text.encode()
    vendors.site.files[f"{place}/Release.gpg"] = vendors.signer.sign_apart(text)
    assert lock().exit_code == 0
    vendors.site.files[f"{place}/Release.gpg"] = vendors.signer.sign_apart("another text")
    assert "its index has no good signature: " in lock().stderr
    del vendors.site.files[f"{place}/Release.gpg"]
    assert "its index has no good signature: " in lock().stderr


def test_an_index_that_is_too_old(lock: Run, vendors: Vendors) -> None:
    path = vendors.path("https://security.debian.org/debian-security/dists/bookworm-security/InRelease")
    vendors.site.files[path] = vendors.signer.sign("Valid-Until: Sat, 11 Jul 2020 10:16:37 UTC\nSHA256:\n")
    result = lock()
    assert result.exit_code == 3
    assert "was valid until Sat, 11 Jul 2020" in result.stderr


def test_a_manifest_that_is_not_what_its_digest_says(lock: Run, vendors: Vendors) -> None:
    digest = vendors.image("registry.k8s.io/pause:3.10.2", "amd64")["amd64"]
    vendors.site.files[f"/registry.k8s.io/v2/pause/manifests/{digest}"] += b" "
    result = lock()
    assert result.exit_code == 3
    assert f"expected {digest}, found sha256:" in result.stderr


def test_a_registry_that_wants_a_token_from_anybody(lock: Run, vendors: Vendors) -> None:
    vendors.site.tokens["/ghcr.io/v2/flannel-io/flannel/"] = "anybody"
    vendors.site.files["/token"] = b'{"token": "anybody"}'
    assert lock().exit_code == 0
    blobs = [headers for path, headers in vendors.site.heard if path.startswith("/ghcr.io/v2/flannel-io/flannel/blobs")]
    assert blobs
    assert all(headers["authorization"] == "Bearer anybody" for headers in blobs)


def test_and_one_that_wants_a_password(lock: Run, vendors: Vendors) -> None:
    vendors.site.tokens["/ghcr.io/v2/flannel-io/flannel/"] = "nobody"
    vendors.site.files["/token"] = b'{"token": "wrong"}'
    result = lock()
    assert result.exit_code == 3
    assert "the registry lets nobody in without credentials" in result.stderr
    assert "imagegen pulls without logging in" in result.stderr


def test_an_image_that_there_is_for_other_machines_only(lock: Run, vendors: Vendors) -> None:
    del vendors.site.files["/registry.k8s.io/v2/pause/manifests/3.10.2"]
    vendors.image("registry.k8s.io/pause:3.10.2", "riscv64")
    result = lock()
    assert result.exit_code == 3
    assert "registry.k8s.io/pause:3.10.2: there is no image for linux/amd64" in result.stderr


def test_a_mirror_of_another_form(spec: Path) -> None:
    result = specs.run("lock", spec, "--mirror", "pkgs.k8s.io=mirror.example")
    assert result.exit_code == 2
    assert "is not OLD=NEW with two addresses" in result.stderr


def test_a_broken_lock_is_made_anew(lock: Run, file: Path) -> None:
    file.write_text("<<<<<<< HEAD\n")
    result = lock()
    assert result.exit_code == 0
    assert "it is made anew" in result.stderr
    assert by_name(file)["kubelet"]["version"] == KUBERNETES
