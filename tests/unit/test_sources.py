"""Where an image's bits come from, for every system: what the scripts, the checks and the reader are told."""

from __future__ import annotations

import json
import shlex
import tomllib
from typing import Any

import pytest

from imagegen.cli.common import load_assets
from tests.support.specs import render, spec

CATALOG = load_assets().catalog
FOLDER = "images/demo/packer"
PACKAGED = sorted(set(CATALOG.systems) - {"alinux-4"})


def emitted(**image: Any) -> dict[str, str]:
    """The image folder of a spec, by path."""
    qemu = {"source": "base.qcow2"}
    tree = render(spec(image={"qemu": qemu, **image}, network={"kubeProxy": {"mode": "iptables"}})).tree
    prefix = f"{FOLDER}/"
    return {
        path.removeprefix(prefix): file.content.decode("utf-8", "replace")
        for path, file in tree
        if path.startswith(prefix)
    }


def settings(files: dict[str, str]) -> dict[str, str]:
    """image.env as bash reads it."""
    pairs = (shlex.split(line)[0].partition("=") for line in files["image.env"].splitlines())
    return {name: value for name, _, value in pairs}


@pytest.mark.parametrize("os", PACKAGED)
def test_packages_of_every_system(os: str) -> None:
    files = emitted(os=os)
    said, declared = settings(files), json.loads(files["declared.json"])
    family = said["FAMILY"]
    assert f"scripts/family/{family}.sh" in files
    assert said["SOURCE"] == "packages"
    assert said["HELD_PACKAGES"].split() == declared["holds"] == ["kubeadm", "kubectl", "kubelet", "containerd.io"]
    assert said["REPOSITORY_KUBERNETES_URL"].startswith("https://pkgs.k8s.io/core:/stable:/v1.37/")
    assert "{" not in files["image.env"]
    assert not {"runc", "containerd"} & set(said["PACKAGES"].split())
    assert "/usr/bin/containerd" in declared["binaries"]
    assert "ExecStart=/usr/bin/containerd\n" in files["files/etc/systemd/system/containerd.service"]
    arguments = "/etc/default/kubelet" if family == "apt" else "/etc/sysconfig/kubelet"
    assert f"files{arguments}" in files
    assert f"=-{arguments}\n" in files["files/etc/systemd/system/kubelet.service.d/10-kubeadm.conf"]


@pytest.mark.parametrize("os", sorted(CATALOG.systems))
@pytest.mark.parametrize("source", ["bundle", "binaries"])
def test_files_of_every_system(os: str, source: str) -> None:
    files = emitted(os=os, source=source)
    said, declared = settings(files), json.loads(files["declared.json"])
    assert (said["REPOSITORIES"], said["HELD_PACKAGES"], declared["holds"]) == ("", "", [])
    assert "/usr/local/bin/containerd" in declared["binaries"]
    assert ("runc" in said["PACKAGES"].split()) is (said["FAMILY"] == "apt" and source == "bundle")
    assert json.loads(files["demo.auto.pkrvars.json"])["qemu_outbound"] is (source != "bundle")


@pytest.mark.parametrize(
    ("image", "source"),
    [
        ({}, "packages"),
        ({"bundle": {}}, "bundle"),
        ({"bundle": {"sha256": "0" * 64}}, "bundle"),
        ({"source": "bundle"}, "bundle"),
        ({"source": "binaries"}, "binaries"),
    ],
    ids=str,
)
def test_the_source_that_follows(image: dict[str, Any], source: str) -> None:
    assert settings(emitted(os="debian-12", **image))["SOURCE"] == source


def test_a_repository_is_that_of_the_system_and_the_architecture() -> None:
    said = settings(emitted(os="rocky-10"))
    assert said["REPOSITORY_CONTAINERD_URL"] == "https://download.docker.com/linux/centos/10/x86_64/stable"
    said = settings(emitted(os="rhel-9", architecture="arm64"))
    assert said["REPOSITORY_CONTAINERD_URL"] == "https://download.docker.com/linux/rhel/9/aarch64/stable"
    said = settings(emitted(os="ubuntu-24.04"))
    assert said["REPOSITORY_CONTAINERD_URL"] == "https://download.docker.com/linux/ubuntu"
    assert said["REPOSITORY_CONTAINERD_SUITE"] == "noble stable"


def test_the_mirrors_of_a_profile_have_no_colons_in_kubernetes_new() -> None:
    assert settings(emitted(os="debian-12"))["MIRRORS"] == ""
    pairs = dict(pair.split("=", 1) for pair in settings(emitted(os="debian-12", mirrors="aliyun"))["MIRRORS"].split())
    new = pairs["https://pkgs.k8s.io/core:/stable:/"]
    assert new == "https://mirrors.aliyun.com/kubernetes-new/core/stable/"
    assert pairs["registry.k8s.io/"] == "registry.aliyuncs.com/google_containers/"


@pytest.mark.parametrize(
    ("image", "images"),
    [
        ({}, ["registry.k8s.io/pause:3.10.2", "flannel-cni-plugin", "flannel"]),
        ({"prepull": False}, []),
        ({"source": "bundle"}, ["registry.k8s.io/pause:3.10.2"]),
    ],
    ids=str,
)
def test_images_that_must_be_there(image: dict[str, Any], images: list[str]) -> None:
    declared = json.loads(emitted(os="debian-12", **image)["declared.json"])["images"]
    assert len(declared) == len(images)
    assert all(part in name for part, name in zip(images, declared, strict=True))


@pytest.mark.parametrize(
    ("version", "form", "sandbox"),
    [
        ("1.7.28", 2, ("io.containerd.grpc.v1.cri", "sandbox_image")),
        ("2.3.7", 3, ("io.containerd.cri.v1.images", "pinned_images")),
    ],
)
def test_containerd_s_configuration_follows_its_version(version: str, form: int, sandbox: tuple[str, str]) -> None:
    tree = render(spec(kubernetes={"version": "1.34.4"}, image={"containerd": version})).tree
    config = tomllib.loads(tree[f"{FOLDER}/files/etc/containerd/config.toml"].content.decode())
    plugin, key = sandbox
    found = config["plugins"][plugin][key]
    assert config["version"] == form
    assert (found["sandbox"] if isinstance(found, dict) else found) == "registry.k8s.io/pause:3.10.1"
    runtime = "io.containerd.grpc.v1.cri" if form == 2 else "io.containerd.cri.v1.runtime"
    runc = config["plugins"][runtime]["containerd"]["runtimes"]["runc"]
    assert runc["options"] == {"SystemdCgroup": True}


def test_el_s_plugins_are_found_too() -> None:
    config = tomllib.loads(emitted(os="rocky-9")["files/etc/containerd/config.toml"])
    folders = config["plugins"]["io.containerd.cri.v1.runtime"]["cni"]["bin_dirs"]
    assert folders == ["/opt/cni/bin", "/usr/libexec/cni"]


def test_an_older_python_is_passed_over() -> None:
    drop_in = "files/etc/systemd/system/imagegen-bootstrap.service.d/10-python.conf"
    assert "ExecStart=/usr/bin/python3.9 /usr/local/lib/imagegen/firstboot\n" in emitted(os="alinux-3")[drop_in]
    assert drop_in not in emitted(os="rocky-9")


@pytest.mark.parametrize(
    ("image", "booted"),
    [
        ({"os": "debian-12", "bundle": {}}, True),
        ({"os": "debian-12"}, False),
        ({"os": "debian-12", "bundle": {}, "architecture": "arm64"}, False),
        ({"os": "rocky-9", "bundle": {}, "qemu": {"source": "a"}}, False),
    ],
    ids=str,
)
def test_what_was_never_booted_says_so(image: dict[str, Any], booted: bool) -> None:
    tree = render(spec(image=image)).tree
    manifest = json.loads(tree["manifest.json"].content)["images"]["demo"]
    assert manifest["booted"] is booted
    for page in ("README.md", f"{FOLDER}/README.md"):
        assert ("ot booted" in tree[page].content.decode()) is not booted


def test_every_family_s_units_and_settings_are_step_and_check() -> None:
    for os in ("debian-12", "rocky-9"):
        files = emitted(os=os)
        said, declared = settings(files), json.loads(files["declared.json"])
        units = dict.fromkeys(said["ENABLED_UNITS"].split(), "enabled")
        units |= dict.fromkeys(said["MASKED_UNITS"].split(), "masked")
        assert declared["units"] == units
        assert set(said["PACKAGES"].split()) <= set(declared["packages"])


def test_unknown_facts_are_not_judged() -> None:
    # alinux-3: neither its cgroups nor its cloud-init are known, and 1.37 refuses cgroup v1.
    assert CATALOG.systems["alinux-3"].cgroup is None
    options = {"type": "alicloud", "region": "cn-hangzhou", "metadataOptions": {"httpTokens": "required"}}
    made = render(spec(provider=options, image={"os": "alinux-3"}, network={"kubeProxy": {"mode": "iptables"}}))
    assert made.plan.images[0].os == "alinux-3"
