"""Mirrors, vendors' sums, Debian's dependencies, references of images, what a new lock changes."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256, sha512

import pytest

from imagegen import pipeline
from imagegen.catalog.vendors import tag_for
from imagegen.cli.common import load_assets
from imagegen.lock import BaseDisk, FileKind, Lock, LockedFile, Provision, Source
from imagegen.planner import plan_images
from imagegen.spec import Cluster
from imagegen.supply.changes import changes_of
from imagegen.supply.debian import Archives, UnresolvedError, closure, read_release
from imagegen.supply.mirrors import read_mirrors
from imagegen.supply.oci import ManifestError, choose, read_manifest, read_reference
from imagegen.supply.sums import find_sum
from imagegen.supply.wanted import want, wanted_images
from tests.support.specs import spec

SUM = sha256(b"one").hexdigest()
LONG_SUM = sha512(b"one").hexdigest()
CATALOG = load_assets().catalog


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://a.example/x", "http://one/x"),
        ("https://a.example", "http://one"),
        ("https://a.example/pool/x", "http://two/x"),
        ("https://a.example.net/x", "https://a.example.net/x"),
        ("https://a.example/pools/x", "http://one/pools/x"),
        ("https://b.example/x", "https://b.example/x"),
    ],
)
def test_a_mirror(url: str, asked: str) -> None:
    mirrors = read_mirrors(["https://a.example/=http://one", "https://a.example/pool=http://two/"])
    assert mirrors.apply(url) == asked


@pytest.mark.parametrize("text", ["a", "a=b", "https://a=", "=https://a", "https://a=ftp://b", "https://=https://b"])
def test_no_mirror(text: str) -> None:
    with pytest.raises(ValueError, match=text):
        read_mirrors([text])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (SUM, {"sha256": SUM}),
        (f"{SUM.upper()}\n", {"sha256": SUM}),
        (f"{SUM}  file\n", {"sha256": SUM}),
        (f"{SUM} *./bin/file\n", {"sha256": SUM}),
        (f"{LONG_SUM}  file\n", {"sha512": LONG_SUM}),
        (f"# a comment\nSHA256 (file) = {SUM}\n", {"sha256": SUM}),
        (f"{'0' * 64}  another\n{SUM}  file\n", {"sha256": SUM}),
        (f"{SUM}  another\n", {}),
        ("<html>404</html>", {}),
        ("d41d8cd98f00b204e9800998ecf8427e  file\n", {}),
    ],
)
def test_a_vendor_s_sums(text: str, found: dict[str, str]) -> None:
    assert find_sum(text, "file") == found


def archives(*packages: str) -> Archives:
    """`name version: needs; provides`; a name that begins with `!` is Essential."""
    made = Archives()
    paragraphs = []
    for text in packages:
        head, _, rest = text.partition(":: ")
        needs, _, provides = rest.partition("; ")
        name, version = head.strip().split()
        lines = [f"Package: {name.lstrip('!')}", f"Version: {version}", "Filename: pool/x.deb", "Size: 1"]
        lines += ["Essential: yes"] if name.startswith("!") else []
        lines += [f"Depends: {needs}"] if needs else []
        lines += [f"Provides: {provides}"] if provides else []
        paragraphs.append("\n".join([*lines, f"SHA256: {SUM}"]))
    made.add("https://deb.example/debian", "\n\n".join(paragraphs) + "\n")
    return made


def resolved(made: Archives, *names: str, **pins: str) -> list[str]:
    return [f"{package.name} {package.version}" for package in closure(made, names, pins)]


@pytest.mark.parametrize(
    ("packages", "chosen"),
    [
        (["a 1:: b", "b 1:: c", "c 1", "d 1"], ["a 1", "b 1", "c 1"]),
        (["a 1:: b", "b 1:: a"], ["a 1", "b 1"]),
        (["a 1", "a 2", "a 10"], ["a 10"]),
        (["a 1.0~rc1", "a 1.0"], ["a 1.0"]),
        (["a 1:: b (<< 2)", "b 1", "b 2"], ["a 1", "b 1"]),
        (["a 1:: x | b", "b 1"], ["a 1", "b 1"]),
        (["a 1:: b | c", "b 1", "c 1"], ["a 1", "b 1"]),
        (["a 1:: c, b | c", "b 1", "c 1"], ["a 1", "c 1"]),
        (["a 1:: v", "b 1:: ; v"], ["a 1", "b 1"]),
        (["a 1:: v (>= 2)", "b 1:: ; v", "c 1:: ; v (= 3)"], ["a 1", "c 1"]),
        (["a 1:: b:any", "b 1"], ["a 1", "b 1"]),
        # What every system has is left out, and its needs as well.
        (["a 1:: libc", "libc 1", "!dpkg 1:: libc"], ["a 1"]),
        # But an exact version may be another one than a base has.
        (["a 1:: perl-base (= 1)", "!perl-base 1"], ["a 1", "perl-base 1"]),
    ],
    ids=", ".join,
)
def test_what_a_package_needs(packages: list[str], chosen: list[str]) -> None:
    assert resolved(archives(*packages), "a") == chosen


def test_a_pin() -> None:
    made = archives("a 1.37.1-1.1", "a 1.37.2-1.1", "a 1.38.0-1.1")
    assert resolved(made, "a", a="1.37.2-") == ["a 1.37.2-1.1"]
    with pytest.raises(UnresolvedError, match=r"^the image needs a 1\.36\.1-…, which the archives do not have$"):
        resolved(made, "a", a="1.36.1-")


def test_what_is_not_there() -> None:
    with pytest.raises(UnresolvedError, match=r"^a needs b \(>= 2\), which the archives do not have$"):
        resolved(archives("a 1:: b (>= 2)", "b 1"), "a")


def test_a_release() -> None:
    text = f"Origin: Debian\nAcquire-By-Hash: yes\nSHA256:\n {SUM} 12 main/Packages\n {SUM}  3 main/Packages.gz\n"
    signed = f"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n{text}-----BEGIN PGP SIGNATURE-----\n\nAAAA\n"
    for form in (text, signed):
        release = read_release(form)
        assert {path: (file.sha256, file.size) for path, file in release.files.items()} == {
            "main/Packages": (SUM, 12),
            "main/Packages.gz": (SUM, 3),
        }
        assert release.by_hash


@pytest.mark.parametrize(
    ("name", "host", "repository"),
    [
        ("registry.k8s.io/pause:3.10.2", "registry.k8s.io", "pause"),
        ("registry.example:5000/a/b:1", "registry.example:5000", "a/b"),
        ("localhost/a:1", "localhost", "a"),
        ("flannel/flannel:v1", "hub.example", "flannel/flannel"),
        ("docker.io/flannel/flannel:v1", "hub.example", "flannel/flannel"),
        ("busybox:1", "hub.example", "library/busybox"),
    ],
)
def test_where_an_image_is_asked_for(name: str, host: str, repository: str) -> None:
    reference = read_reference(name, "hub.example")
    assert (reference.host, reference.repository) == (host, repository)


def test_which_image_of_several() -> None:
    entries = [
        {"digest": "sha256:v7", "platform": {"os": "linux", "architecture": "arm", "variant": "v7"}},
        {"digest": "sha256:v9", "platform": {"os": "linux", "architecture": "arm64", "variant": "v9"}},
        {"digest": "sha256:windows", "platform": {"os": "windows", "architecture": "amd64"}},
        {"digest": "sha256:amd64", "platform": {"os": "linux", "architecture": "amd64"}},
        {"digest": "sha256:arm64", "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
    ]
    index = json.dumps({"manifests": entries}).encode()
    assert choose(index, "amd64") == "sha256:amd64"
    assert choose(index, "arm64") == "sha256:arm64"
    with pytest.raises(ManifestError, match="no image for linux/riscv64"):
        choose(index, "riscv64")


@pytest.mark.parametrize(
    "content",
    [
        b"<html>",
        b"[]",
        b"{}",
        b'{"config": {"digest": "sha256:x", "size": 1}, "layers": []}',
        b'{"config": {"digest": "md5:0", "size": 1}, "layers": 3}',
        json.dumps({"mediaType": "text/x", "config": {"digest": f"sha256:{SUM}", "size": 1}, "layers": []}).encode(),
    ],
)
def test_no_manifest(content: bytes) -> None:
    with pytest.raises(ManifestError):
        read_manifest(content)


def checked(**sections: object) -> Cluster:
    cluster, report = pipeline.check(json.dumps(spec(**sections)), "cluster.yaml", load_assets())
    assert cluster is not None, report.diagnostics
    return cluster


def test_kubeadm_s_names_in_another_registry() -> None:
    kubernetes = {"version": "1.30.4", "imageRepository": "registry.example/k8s"}
    (plan,) = plan_images(checked(kubernetes=kubernetes), CATALOG)
    names = wanted_images(plan, CATALOG.vendors.images)
    assert "registry.example/k8s/coredns:v1.11.1" in names
    assert "registry.example/k8s/etcd:3.5.12-0" in names
    assert "registry.example/k8s/kube-proxy:v1.30.4" in names


def test_the_tag_that_a_patch_release_has() -> None:
    etcd = CATALOG.vendors.images.etcd
    assert [tag_for(f"1.31.{patch}", etcd) for patch in (0, 13, 14, 20)] == ["3.5.15-0"] * 2 + ["3.5.24-0"] * 2
    assert set(CATALOG.minors) == set(etcd) == set(CATALOG.vendors.images.coredns)


def test_packages_of_the_vendors_in_the_place_of_files() -> None:
    (plan,) = plan_images(checked(image={"source": "packages"}), CATALOG)
    wanted = want(plan, CATALOG, None)
    assert not wanted.files
    assert {"kubeadm", "kubectl", "kubelet", "containerd.io", "chrony"} <= set(wanted.packages)
    assert "runc" not in wanted.packages
    kubernetes = dict.fromkeys(("kubeadm", "kubectl", "kubelet"), "1.37.2-")
    assert wanted.pins == {**kubernetes, "containerd.io": f"{CATALOG.image.containerd}-"}
    assert "https://pkgs.k8s.io/core:/stable:/v1.37/deb" in [archive.url for archive in wanted.archives]


def test_runc_s_own_release_where_no_package_brings_it() -> None:
    for source, there in (("bundle", False), ("binaries", True)):
        (plan,) = plan_images(checked(image={"source": source}), CATALOG)
        wanted = want(plan, CATALOG, None)
        assert ("bin/runc" in [file.path for file in wanted.files]) is there
        assert ("runc" in wanted.packages) is not there


def test_a_base_of_one_s_own() -> None:
    (plan,) = plan_images(checked(), CATALOG)
    own = {disk: want(plan, CATALOG, disk) for disk in ("/srv/base", "https://x/base")}
    assert [wanted.own_disk for wanted in own.values()] == ["", "https://x/base"]
    assert all(wanted.disk is None for wanted in own.values())


def test_changes_in_words() -> None:
    file = LockedFile(
        path="bin/runc", kind=FileKind.BINARY, name="runc", version="1.4.3", url="https://x", sha256=SUM, size=1
    )
    old = Lock(
        name="demo",
        os="debian-12",
        kubernetes="1.37.1",
        source=Source.BUNDLE,
        architectures={
            "amd64": Provision(files=(file,), base=BaseDisk(url="https://x/release-20260101/disk.img", sha256=SUM))
        },
    )
    newer = replace(file, version="1.5.1")
    other = replace(file, name="ctr", path="bin/ctr")
    amd64 = Provision(files=(newer, other), base=BaseDisk(url="https://x/disk-20260202.img", sha256=SUM))
    new = replace(old, kubernetes="1.37.2", architectures={"amd64": amd64, "arm64": Provision()})
    assert changes_of(old, new) == (
        "kubernetes 1.37.1 → 1.37.2",
        "amd64: base disk release-20260101/disk.img → disk-20260202.img",
        "amd64: ctr 1.4.3 new",
        "amd64: runc 1.4.3 → 1.5.1",
        "arm64: new",
    )
    assert changes_of(new, old)[-1] == "arm64: no more"
    assert changes_of(old, old) == ()
