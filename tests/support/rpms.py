"""Rocky's repositories and disks, and the vendors', made by rpmbuild and createrepo_c, as files of a site."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from imagegen.cli.common import load_assets
from tests.support.origins import Signer
from tests.support.vendors import Stub, containerd, kubernetes, plain, write_rpm

BASEOS = "https://dl.rockylinux.org/pub/rocky/9/BaseOS/x86_64/os"
APPSTREAM = "https://dl.rockylinux.org/pub/rocky/9/AppStream/x86_64/os"
KUBERNETES = "https://pkgs.k8s.io/core:/stable:/v1.37/rpm"
DOCKER = "https://download.docker.com/linux/centos/9/x86_64/stable"
DISKS = "https://dl.rockylinux.org/pub/rocky/9/images/x86_64/"
BUILDS = ("9.9-20261101.0", "9.10-20261120.0")
SPECIAL = ("chrony", "jq", "ipset", "nftables", "python3-dnf-plugin-versionlock")

# What every machine has: dnf and systemd, with all that they need.
BASE = [
    Stub(name="dnf", version="4.14.0", revision="1.el9", needs=("python3 = 3.9.18-1.el9",)),
    Stub(name="python3", version="3.9.18", revision="1.el9", provides=("python(abi) = 3.9",)),
    Stub(name="systemd", version="252", revision="46.el9", needs=("systemd-libs(x86-64) = 252-46.el9", "libcap")),
    Stub(name="systemd-libs", version="252", revision="46.el9"),
    Stub(name="libcap", version="2.48", revision="9.el9"),
]


def _wanted() -> tuple[str, ...]:
    catalog = load_assets().catalog
    names = (*catalog.families["dnf"].packages, *catalog.systems["rocky-9"].packages)
    return tuple(name for name in names if name not in SPECIAL)


def baseos() -> list[Stub]:
    """BaseOS, where chrony needs things of every kind."""
    return [
        *BASE,
        Stub(
            name="chrony",
            version="4.6",
            revision="1.el9",
            needs=(
                "systemd-udev",
                "libcap >= 2.40",
                "libedit.so.0()(64bit)",
                "/usr/share/odd/file",
                "(chrony-for-dnf if dnf)",
                "(chrony-for-nothing if nothing)",
                "(not-there or libseccomp)",
            ),
            recommends=("chrony-weak",),
        ),
        Stub(name="chrony-weak", version="1", revision="1.el9"),
        Stub(name="chrony-for-dnf", version="1^20260101.g0123abc", revision="1.el9"),
        Stub(name="chrony-for-nothing", version="1", revision="1.el9"),
        Stub(name="libseccomp", version="2.5.2", revision="2.el9"),
        Stub(name="libedit", version="3.1", revision="1.el9", provides=("libedit.so.0()(64bit)",)),
        Stub(name="odd", version="1", revision="1.el9", files={"usr/share/odd/file": "odd\n"}),
        # The very version of what a machine has.
        Stub(name="systemd-udev", version="252", revision="46.el9", needs=("systemd = 252-46.el9", "libmnl")),
        Stub(name="libmnl", version="1.0.4", revision="16.el9"),
        Stub(name="ipset", version="7.11", revision="8.el9", needs=("libmnl",)),
        Stub(name="ipset", version="7.9", revision="9.el9"),
        Stub(name="nftables", version="1.0.9", revision="3.el9", needs=("libmnl >= 1.0.4",)),
        Stub(name="nftables", version="1.0.10", revision="1.el9", machine="i686"),
        *plain(_wanted()),
    ]


def appstream() -> list[Stub]:
    """AppStream, with a stream of a module in it that nobody enabled."""
    return [
        Stub(name="jq", version="1.6", revision="17.el9"),
        Stub(name="jq", version="1.7", revision="1.module+el9.4.0+1+abcdef"),
        Stub(
            name="python3-dnf-plugin-versionlock",
            version="4.3.0",
            revision="13.el9",
            needs=("python(abi) = 3.9", "dnf >= 4.2"),
        ),
        Stub(name="container-selinux", version="2.232.1", revision="1.el9"),
    ]


def docker() -> list[Stub]:
    """Docker's repository, whose containerd.io wants something of the distribution's."""
    return [
        Stub(
            name=stub.name, version=stub.version, revision=stub.revision, files=stub.files, needs=("container-selinux",)
        )
        for stub in containerd("1.el9")
    ]


def repository(url: str, stubs: Iterable[Stub], folder: Path, signer: Signer | None) -> dict[str, bytes]:
    """The files of a repository, by the paths that a site has them at; without a signer it has no signature."""
    top = folder / sha256(url.encode()).hexdigest()[:8]
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    for stub in stubs:
        write_rpm(stub, top, scratch)
    subprocess.run(["createrepo_c", "--quiet", "--no-database", str(top)], check=True, capture_output=True)
    prefix = f"/{url.partition('://')[2]}"
    files = {f"{prefix}/{path.relative_to(top)}": path.read_bytes() for path in top.rglob("*") if path.is_file()}
    if signer is not None:
        index = f"{prefix}/repodata/repomd.xml"
        files[f"{index}.asc"] = signer.sign_apart(files[index].decode())
    return files


def everything(folder: Path, signer: Signer) -> dict[str, bytes]:
    """All repositories and disks of rocky-9. Docker's index has no signature."""
    return {
        **repository(BASEOS, baseos(), folder, signer),
        **repository(APPSTREAM, appstream(), folder, signer),
        **repository(KUBERNETES, kubernetes("150500.1.1"), folder, signer),
        **repository(DOCKER, docker(), folder, None),
        **disks(),
    }


def turned(stub: Stub) -> Stub:
    """The same for arm64, and what was for another machine for amd64."""
    machine = {"x86_64": "aarch64", "i686": "x86_64"}[stub.machine]
    needs = tuple(need.replace("(x86-64)", "(aarch-64)") for need in stub.needs)
    return replace(stub, machine=machine, needs=needs)


def disks(machine: str = "x86_64") -> Mapping[str, bytes]:
    """Cloud images of two minors, beside others that are none, and the list of their sums."""
    names = [f"Rocky-9-GenericCloud-Base-{build}.{machine}.qcow2" for build in BUILDS]
    names += [f"Rocky-9-GenericCloud-{other}.{machine}.qcow2" for other in ("LVM-9.11-20261130.0", "Base.latest")]
    contents = {name: f"{name}\n".encode() * 500 for name in names}
    sums = "".join(
        f"# {name}: {len(content)} bytes\nSHA256 ({name}) = {sha256(content).hexdigest()}\n"
        for name, content in contents.items()
    )
    prefix = f"/{DISKS.partition('://')[2].replace('x86_64', machine)}"
    links = "".join(f'<a href="{name}">{name}</a>\n' for name in names)
    files = {f"{prefix}{name}": content for name, content in contents.items()}
    return {**files, f"{prefix}CHECKSUM": sums.encode(), prefix: links.encode()}
