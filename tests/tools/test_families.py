"""The bake's scripts run in a chroot, for each family, against vendors' repositories on loopback.

The packages are stubs, the package managers, formats and signatures real; tests/support/family.py says what is recorded
only. It shows that the commands are right, and not that such an image boots.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imagegen.cli.common import load_assets
from tests.conftest import missing
from tests.support import rooted, vendors
from tests.support.specs import render, spec

pytestmark = [pytest.mark.tools, pytest.mark.timeout(300)]
DRIVER = Path(rooted.__file__).with_name("family.py")
SCRIPTS = (
    "10-gather-files.sh",
    "20-prepare-system.sh",
    "30-install-packages.sh",
    "40-install-files.sh",
    "50-install-runtime.sh",
    "60-install-kubernetes.sh",
    "65-enable-units.sh",
)
TOOLS = {"apt": ("dpkg-scanpackages", "gpg", "apt-get"), "dnf": ("dnf", "rpmbuild", "rpmsign", "createrepo_c", "gpg")}
SYSTEMS = {"apt": "debian-12", "dnf": "rocky-9"}
OF_THE_MACHINE = {"module", "sysctl"}
LOOPBACK = "http://127.0.0.1:8000"
MIRRORS = " ".join(
    f"{old}={LOOPBACK}/{new}/"
    for old, new in {
        "https://pkgs.k8s.io/": "pkgs.k8s.io",
        "https://download.docker.com/": "download.docker.com",
        "http://ftp.debian.org/": "ftp.debian.org",
        "https://ftp.debian.org/": "ftp.debian.org",
        "http://dl.rockylinux.org/": "dl.rockylinux.org",
        "https://dl.rockylinux.org/": "dl.rockylinux.org",
    }.items()
)
ROCKY = """\
[baseos]
name=BaseOS
mirrorlist=https://mirrors.rockylinux.org/mirrorlist?repo=BaseOS-9
#baseurl=http://dl.rockylinux.org/BaseOS/
gpgcheck=0
"""
FILES = {
    "apt": {
        "/etc/apt/sources.list": "",
        "/etc/chrony/chrony.conf": "confdir /etc/chrony/conf.d\nsourcedir /etc/chrony/sources.d\n",
        "/etc/apt/mirrors/debian.list": "http://ftp.debian.org/debian\n",
        "/etc/apt/sources.list.d/debian.sources": (
            "Types: deb\nURIs: mirror+file:///etc/apt/mirrors/debian.list\nSuites: stable\nComponents: main\n"
            "Trusted: yes\n"
        ),
    },
    "dnf": {
        "/etc/yum.repos.d/rocky.repo": ROCKY,
        "/etc/selinux/config": "SELINUX=enforcing\nSELINUXTYPE=targeted\n",
        "/etc/selinux/now": "Enforcing\n",
        "/etc/grubby": 'args="ro"\n',
        # Debian's dnf comes with a plugin that EL's has not, and knows no release.
        "/etc/dnf/plugins/local.conf": "[main]\nenabled = false\n",
        "/etc/dnf/vars/releasever": "9\n",
        "/etc/chrony.conf": "pool 2.rocky.pool.ntp.org iburst\n",
    },
}
FSTAB = "LABEL=root / ext4 defaults 0 1\n/swapfile none swap sw 0 0\n"


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory, tool: Callable[[str], str]) -> vendors.Signer:
    tool("gpg")
    return vendors.new_signer(tmp_path_factory.mktemp("gnupg") / "home")


@pytest.fixture(scope="module")
def tool() -> Callable[[str], str]:
    """Like everybody's, for a module."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            missing(name)
            raise AssertionError
        return path

    return find


@pytest.fixture(scope="module", params=["apt", "dnf"])
def ground(
    request: pytest.FixtureRequest,
    signer: vendors.Signer,
    tool: Callable[[str], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Ground:
    family = str(request.param)
    for name in TOOLS[family]:
        tool(name)
    rooted.ready(rooted.HOST)
    folder = tmp_path_factory.mktemp(family)
    return Ground(family, signer, folder)


class Ground:
    """A family's repositories, laid out as the vendors', and the folder that is baked."""

    def __init__(self, family: str, signer: vendors.Signer, folder: Path) -> None:
        self.family, self.signer, self.folder = family, signer, folder
        self.served, self.work = folder / "served", folder / "work"
        scratch = folder / "scratch"
        scratch.mkdir()
        {"apt": self._serve_debs, "dnf": self._serve_rpms}[family](scratch)
        tree = render(spec(image={"os": SYSTEMS[family], "source": "packages", "prepull": False})).tree
        prefix = "images/demo/packer/"
        self.emitted = {path.removeprefix(prefix): file for path, file in tree if path.startswith(prefix)}

    def _packages(self) -> tuple[str, ...]:
        catalog = load_assets().catalog
        own = catalog.systems[SYSTEMS[self.family]].packages
        return (*catalog.families[self.family].packages, *own)

    def _serve_debs(self, scratch: Path) -> None:
        kubernetes, docker = "pkgs.k8s.io/core:/stable:/v1.37/deb", "download.docker.com/linux/debian"
        of_docker = vendors.containerd("1~debian.12~bookworm")
        for path, suite, stubs in (
            (kubernetes, "/", vendors.kubernetes("1.1")),
            (docker, "bookworm stable", of_docker),
            ("ftp.debian.org/debian", "stable main", vendors.plain(self._packages())),
        ):
            vendors.write_apt_repository(self.served / path, suite, stubs, self.signer, scratch)
        (self.served / kubernetes / "Release.key").write_bytes(self.signer.public)
        (self.served / docker / "gpg").write_bytes(self.signer.public)

    def _serve_rpms(self, scratch: Path) -> None:
        kubernetes, docker = "pkgs.k8s.io/core:/stable:/v1.37/rpm", "download.docker.com/linux/centos"
        for path, stubs in (
            (kubernetes, vendors.kubernetes("150500.1.1")),
            (f"{docker}/9/x86_64/stable", vendors.containerd("1.el9")),
            ("dl.rockylinux.org/BaseOS", vendors.plain(self._packages())),
        ):
            vendors.write_dnf_repository(self.served / path, stubs, self.signer, scratch)
        (self.served / kubernetes / "repodata/repomd.xml.key").write_bytes(self.signer.public)
        (self.served / docker / "gpg").write_bytes(self.signer.public)

    @property
    def locked(self) -> list[dict[str, Any]]:
        """All that is installed, as a lock has it."""
        wanted = f"*{vendors.KUBERNETES}-*", f"*{vendors.CONTAINERD}-*", "kubernetes-cni*", "*99-1*"
        found = [path for pattern in wanted for path in self.served.rglob(pattern) if path.suffix in {".deb", ".rpm"}]
        return [self._entry(path) for path in sorted(found)]

    def _entry(self, path: Path) -> dict[str, Any]:
        name = path.name.partition("_")[0] if path.suffix == ".deb" else path.name.rsplit("-", 2)[0]
        content = path.read_bytes()
        return {
            "path": f"packages/{name}{path.suffix}",
            "kind": "package",
            "name": name,
            "sha256": hashlib.sha256(content).hexdigest(),
            "size": len(content),
            "url": f"https://{path.relative_to(self.served)}",
        }

    def bake(self, *, times: int = 1, fingerprint: str = "", **request: Any) -> Any:
        """Run the scripts in a root of their own; what they left is told, and gone."""
        shutil.rmtree(self.work, ignore_errors=True)
        for path, file in self.emitted.items():
            target = self.work / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.content)
        settings = self.work / "image.env"
        text = settings.read_text()
        for vendor in load_assets().catalog.vendors.repositories.values():
            text = text.replace(vendor[self.family].fingerprint, fingerprint or self.signer.fingerprint)
        settings.write_text(text.replace("SOURCE=packages", f"SOURCE={request.pop('source', 'packages')}"))
        if files := request.pop("lock", []):
            heading = {"format": 1, "architecture": "amd64", "kubernetes": vendors.KUBERNETES, "source": "packages"}
            (self.work / "lock.json").write_text(json.dumps({**heading, "files": files}))
        files = {**FILES[self.family], "/etc/fstab": FSTAB, "/swapfile": ""} | request.pop("files", {})
        asked = {
            "scripts": SCRIPTS,
            "environment": {"IMAGEGEN_MIRRORS": MIRRORS},
            "files": files,
            "times": times,
            "look": [],
            "ask": [],
            **request,
        }
        (self.work / "request.json").write_text(json.dumps(asked))
        folders = {"/var/tmp/imagegen": self.work, "/srv": self.served}
        driver = f"/var/tmp/imagegen/{DRIVER.name}"
        shutil.copy(DRIVER, self.work)
        return json.loads(rooted.run(rooted.HOST, "python3", driver, folders=folders).splitlines()[-1])


@pytest.fixture(scope="module")
def baked(ground: Ground) -> Any:
    """Baked twice over."""
    return ground.bake(
        times=2,
        look=["/run/imagegen-sources", "/swapfile", "/etc/yum.repos.d/imagegen-kubernetes.repo"],
        ask=["rpm --query --all gpg-pubkey", "cat /etc/fstab", "ls /etc/apt/sources.list.d /etc/yum.repos.d"],
    )


def test_the_scripts_run(baked: Any) -> None:
    assert [run["code"] for run in baked["runs"]] == [0, 0], baked["runs"][-1]["said"]


def checks_of(baked: Any) -> list[Any]:
    """What can be told in a chroot; the stub of containerd does not say what it made of its files."""
    checks = [check for check in baked["report"]["checks"] if check["kind"] not in OF_THE_MACHINE]
    return [check for check in checks if check["name"] not in {"containerd-cgroups", "containerd-sandbox"}]


def test_every_check_passes(baked: Any) -> None:
    checks = checks_of(baked)
    assert {check["kind"] for check in checks} >= {"package", "hold", "binary", "unit", "file", "content", "setting"}
    assert [check for check in checks if not check["passed"]] == []


def test_a_second_run_changes_nothing(baked: Any) -> None:
    assert baked["runs"][1]["changed"] == []


def test_nothing_of_the_vendors_stays(baked: Any) -> None:
    assert baked["left"] == []
    assert baked["said"]["rpm --query --all gpg-pubkey"] == ""
    listing = baked["said"]["ls /etc/apt/sources.list.d /etc/yum.repos.d"]
    assert "imagegen" not in listing


def test_swap_is_off(baked: Any) -> None:
    assert "swapoff --all" in baked["calls"]
    assert "swap" not in baked["said"]["cat /etc/fstab"]


def test_units_are_masked_before_the_first_package(baked: Any) -> None:
    said, calls = baked["runs"][0]["said"], baked["calls"]
    assert said.index("== 20-prepare-system.sh") < said.index("== 30-install-packages.sh")
    before = calls[: calls.index("swapoff --all")]
    masked = {unit for call in before if call.startswith("systemctl mask") for unit in call.split()[2:]}
    assert {"swap.target", "systemd-timesyncd.service"} < masked


def test_another_key_stops_the_bake(ground: Ground) -> None:
    result = ground.bake(fingerprint="0" * 40)["runs"][-1]
    assert (result["code"], result["at"]) == (1, "50-install-runtime.sh")
    assert f"has {ground.signer.fingerprint}, not {'0' * 40}" in result["said"]


def test_another_signer_s_packages_stop_the_bake(ground: Ground, tmp_path: Path) -> None:
    other = vendors.new_signer(tmp_path / "home")
    keys = [path for name in ("Release.key", "repomd.xml.key", "gpg") for path in ground.served.rglob(name)]
    for key in keys:
        key.write_bytes(other.public)
    try:
        result = ground.bake(fingerprint=other.fingerprint)["runs"][-1]
    finally:
        for key in keys:
            key.write_bytes(ground.signer.public)
    assert result["at"] == "50-install-runtime.sh"
    assert result["code"] != 0


def test_what_a_lock_lists_is_installed_and_nothing_else(ground: Ground) -> None:
    baked = ground.bake(lock=ground.locked, fingerprint="0" * 40, look=["/run/imagegen-sources"])
    assert baked["runs"][0]["code"] == 0, baked["runs"][0]["said"]
    assert [check for check in checks_of(baked) if not check["passed"]] == []
    assert baked["left"] == []


def test_one_changed_byte_stops_the_bake(ground: Ground) -> None:
    locked = ground.locked
    (kubelet,) = [file for file in locked if file["name"] == "kubelet"]
    path = ground.served / kubelet["url"].removeprefix("https://")
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    try:
        result = ground.bake(lock=locked)["runs"][0]
    finally:
        path.write_bytes(content)
    assert (result["code"], result["at"]) == (1, "10-gather-files.sh")
    assert f"fetch: {kubelet['path']}: " in result["said"]
    assert f"the lock has {kubelet['sha256']}" in result["said"]


def test_binaries_want_a_lock(ground: Ground) -> None:
    result = ground.bake(source="binaries")["runs"][0]
    assert (result["code"], result["at"]) == (1, "10-gather-files.sh")
    assert "there is no lock.json" in result["said"]
