"""`image.mirrors`, for `imagegen lock` and `imagegen bundle`, against a server that is laid out as the profile's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from imagegen.cli.common import load_assets
from imagegen.supply import mirrors
from tests.fetching.conftest import Run
from tests.support import specs
from tests.support.origins import HOSTS, Vendors

# The vendors that the profile has mirrors of, and where it has what the image needs of them.
LAYOUT = {
    "/ftp.debian.org/": "/mirrors.aliyun.com/",
    "/security.debian.org/": "/mirrors.aliyun.com/",
    "/registry.k8s.io/v2/coredns/": "/registry.aliyuncs.com/v2/google_containers/",
    "/registry.k8s.io/v2/": "/registry.aliyuncs.com/v2/google_containers/",
}
PACKAGE = "/mirrors.aliyun.com/debian/pool/main/jq_1.0-1_amd64.deb"


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "demo.yaml"
    path.write_text(yaml.safe_dump(specs.spec(image={"source": "bundle", "mirrors": "aliyun"})))
    return path


@pytest.fixture
def others(vendors: Vendors, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The profile's servers on loopback, the vendors that it stands for gone; options that give all other vendors."""
    real = mirrors.profile_pairs

    def on_loopback(profile: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        return tuple((old, f"{vendors.site.url}/{new.removeprefix('https://')}") for old, new in real(profile))

    monkeypatch.setattr("imagegen.supply.mirrors.profile_pairs", on_loopback)
    files = vendors.site.files
    for path in tuple(files):
        old = next((old for old in LAYOUT if path.startswith(old)), None)
        if old is not None:
            files[LAYOUT[old] + path.removeprefix(old)] = files.pop(path)
    mirrored = {old.split("/")[1] for old in LAYOUT}
    rest = [f"https://{host}={vendors.site.url}/{host}" for host in HOSTS if host not in mirrored]
    return [word for pair in rest for word in ("--mirror", pair)]


@pytest.fixture
def lock(vendors: Vendors, spec: Path, others: list[str]) -> Run:
    keys = ("--keyring", vendors.signer.keyring)
    return lambda *options: specs.run("lock", spec, *keys, *others, *options)


def hosts(vendors: Vendors) -> set[str]:
    return {path.split("/")[1] for path, _ in vendors.site.heard}


def test_the_profile_is_asked_and_the_vendors_are_locked(lock: Run, spec: Path, vendors: Vendors) -> None:
    result = lock()
    assert result.exit_code == 0, result.stderr
    assert {"mirrors.aliyun.com", "registry.aliyuncs.com"} < hosts(vendors)
    text = spec.with_name("demo.lock.yaml").read_text()
    assert "aliyun" not in text
    assert "url: https://ftp.debian.org/debian/pool/main/jq_1.0-1_amd64.deb\n" in text
    locked: dict[str, Any] = yaml.safe_load(text)["architectures"]["amd64"]
    assert "registry.k8s.io/coredns/coredns:v1.14.6" in [image["name"] for image in locked["images"]]


def test_the_user_s_mirrors_go_before_it_however_short(lock: Run, filled: dict[str, bytes], vendors: Vendors) -> None:
    for path, content in filled.items():
        if path.startswith("/registry.k8s.io/"):
            vendors.site.files[f"/ours{path}"] = content
    result = lock("--mirror", f"https://registry.k8s.io={vendors.site.url}/ours/registry.k8s.io")
    assert result.exit_code == 0, result.stderr
    assert "registry.aliyuncs.com" not in hosts(vendors)
    assert "mirrors.aliyun.com" in hosts(vendors)


def test_and_those_of_the_environment(
    vendors: Vendors, spec: Path, others: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEGEN_MIRRORS", f"https://ftp.debian.org={vendors.site.url}/ours " + " ".join(others[1::2]))
    result = specs.run("lock", spec, "--keyring", vendors.signer.keyring)
    assert result.exit_code == 3
    assert f"(by way of {vendors.site.url}/ours/debian/dists/bookworm/Release)" in result.stderr
    assert "the image's `mirrors` say so" not in result.stderr


def test_a_bundle_is_fetched_by_it(lock: Run, spec: Path, others: list[str], vendors: Vendors, tmp_path: Path) -> None:
    assert lock("--trust-index").exit_code == 0
    vendors.site.heard.clear()
    result = specs.run("bundle", spec, "--out", tmp_path / "bundle", *others)
    assert result.exit_code == 0, result.stderr
    assert PACKAGE in [path for path, _ in vendors.site.heard]
    assert (tmp_path / "bundle" / "images" / "registry.k8s.io_coredns_coredns_v1.14.6.tar").exists()


def test_what_it_has_not_is_said_with_the_way_out(lock: Run, vendors: Vendors) -> None:
    del vendors.site.files["/registry.aliyuncs.com/v2/google_containers/pause/manifests/3.10.2"]
    result = lock()
    assert result.exit_code == 3
    address = "https://registry.k8s.io/v2/pause/manifests/3.10.2"
    assert f"{address} (by way of {vendors.site.url}/registry.aliyuncs.com/v2/google_containers/pause/" in result.stderr
    assert "the image's `mirrors` say so: --mirror https://registry.k8s.io=https://registry.k8s.io " in result.stderr


def test_rocky_s_addresses_as_they_are_asked() -> None:
    pairs = mirrors.profile_pairs(load_assets().catalog.vendors.mirrors_of("aliyun"))
    asked = mirrors.Mirrors(usual=pairs)
    assert asked.apply("https://dl.rockylinux.org/pub/rocky/9/BaseOS/x86_64/os/repodata/repomd.xml") == (
        "https://mirrors.aliyun.com/rockylinux/9/BaseOS/x86_64/os/repodata/repomd.xml"
    )
    assert asked.apply("https://pkgs.k8s.io/core:/stable:/v1.36/deb/InRelease") == (
        "https://mirrors.aliyun.com/kubernetes-new/core/stable/v1.36/deb/InRelease"
    )
    assert asked.apply("https://dl.k8s.io/release/v1.36.3/x") == "https://dl.k8s.io/release/v1.36.3/x"
