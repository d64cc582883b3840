"""Vendors' and a distribution's package repositories in small: stub packages, real formats, signatures and paths."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

KUBERNETES = "1.37.2"
CONTAINERD = "2.3.7"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stub:
    """A package: what is in it (path → text, or the file itself) and what it needs.

    Programs are what lies in a folder of programs. Of a Debian package, what lies in `etc/` is the administrator's once
    it is there, and `installed` is run at the end; the rest is for rpm alone.
    """

    name: str
    version: str
    revision: str
    files: Mapping[str, str | Path] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    installed: str = ""
    provides: tuple[str, ...] = ()
    recommends: tuple[str, ...] = ()
    machine: str = "x86_64"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A key of the test's own, in a GnuPG home of its own."""

    home: Path
    fingerprint: str

    @property
    def public(self) -> bytes:
        return self.gpg("--armor", "--export", self.fingerprint)

    def gpg(self, *arguments: str) -> bytes:
        return subprocess.run(
            ["gpg", "--batch", "--quiet", "--yes", *arguments],
            check=True,
            capture_output=True,
            env=os.environ | {"GNUPGHOME": str(self.home)},
        ).stdout


def new_signer(home: Path) -> Signer:
    """Make a key."""
    home.mkdir(mode=0o700)
    signer = Signer(home=home, fingerprint="")
    signer.gpg("--passphrase", "", "--quick-gen-key", "vendor <vendor@example.com>", "rsa2048", "sign", "never")
    listing = signer.gpg("--list-keys", "--with-colons").decode()
    fingerprint = next(line.split(":")[9] for line in listing.splitlines() if line.startswith("fpr:"))
    return Signer(home=home, fingerprint=fingerprint)


def kubernetes(revision: str) -> list[Stub]:
    """What Kubernetes' repository of a minor holds, with an older and a newer patch release beside the wanted one."""
    stubs = [
        Stub(
            name=name,
            version=version,
            revision=revision,
            files={f"usr/bin/{name}": _saying(f"Kubernetes v{version}")},
            needs=("kubernetes-cni",) if name == "kubelet" else (),
        )
        for name in ("kubeadm", "kubectl", "kubelet")
        for version in ("1.37.1", KUBERNETES, "1.37.20")
    ]
    plugins = {f"opt/cni/bin/{name}": _saying("") for name in ("bridge", "host-local", "loopback", "portmap")}
    return [*stubs, Stub(name="kubernetes-cni", version="1.7.1", revision=revision, files=plugins)]


def containerd(revision: str) -> list[Stub]:
    """What Docker's repository holds of containerd."""
    return [
        Stub(
            name="containerd.io",
            version=version,
            revision=revision,
            files={
                "usr/bin/containerd": _saying(f"containerd containerd.io v{version} 0123456789abcdef"),
                "usr/bin/containerd-shim-runc-v2": _saying(""),
                "usr/bin/ctr": _saying(""),
                "usr/bin/runc": _saying(""),
            },
        )
        for version in (CONTAINERD, "2.4.0")
    ]


def plain(names: tuple[str, ...]) -> list[Stub]:
    """Packages of the distribution, with nothing in them."""
    return [Stub(name=name, version="99", revision="1") for name in names]


def _saying(text: str) -> str:
    return f"#!/bin/sh\necho '{text}'\n"


def write_deb(stub: Stub, folder: Path, scratch: Path) -> Path:
    """Build a Debian package of a stub."""
    tree = scratch / "deb"
    shutil.rmtree(tree, ignore_errors=True)
    _fill(tree, stub)
    (tree / "DEBIAN").mkdir()
    if stub.installed:
        _program(tree / "DEBIAN/postinst", stub.installed)
    settings = [f"/{path}\n" for path in stub.files if path.startswith("etc/")]
    (tree / "DEBIAN/conffiles").write_text("".join(settings))
    depends = f"Depends: {', '.join(stub.needs)}\n" if stub.needs else ""
    (tree / "DEBIAN/control").write_text(
        f"Package: {stub.name}\nVersion: {stub.version}-{stub.revision}\nArchitecture: amd64\n"
        f"Maintainer: nobody <nobody@example.com>\n{depends}Description: a stub\n"
    )
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{stub.name}_{stub.version}-{stub.revision}_amd64.deb"
    _run("dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, path)
    return path


def write_rpm(stub: Stub, folder: Path, scratch: Path) -> Path:
    """Build an RPM of a stub."""
    tree, spec = scratch / "rpm", scratch / "stub.spec"
    shutil.rmtree(tree, ignore_errors=True)
    _fill(tree, stub)
    files = "".join(f"/{path}\n" for path in stub.files)
    requires = "".join(f"Requires: {name}\n" for name in stub.needs)
    requires += "".join(f"Provides: {name}\n" for name in stub.provides)
    requires += "".join(f"Recommends: {name}\n" for name in stub.recommends)
    spec.write_text(
        f"Name: {stub.name}\nVersion: {stub.version}\nRelease: {stub.revision}\nSummary: a stub\nLicense: none\n"
        f"{requires}%define __os_install_post %{{nil}}\n%define _build_id_links none\n%define debug_package %{{nil}}\n"
        f"AutoReqProv: no\n%description\n%install\nmkdir -p %{{buildroot}}\ncp -a {tree}/. %{{buildroot}}\n%files\n"
        f"{files}"
    )
    folder.mkdir(parents=True, exist_ok=True)
    top = f"_topdir {scratch}/top"
    _run("rpmbuild", "--quiet", "-bb", "--define", top, "--define", f"_rpmdir {folder}", "--target", stub.machine, spec)
    return folder / stub.machine / f"{stub.name}-{stub.version}-{stub.revision}.{stub.machine}.rpm"


def write_apt_repository(folder: Path, suite: str, stubs: list[Stub], signer: Signer, scratch: Path) -> None:
    """A signed repository of stubs: a flat one for the suite `/`, otherwise one with `dists/<suite>/<component>`."""
    for stub in stubs:
        write_deb(stub, pool(folder, suite), scratch)
    index_apt_repository(folder, suite, signer)


def pool(folder: Path, suite: str) -> Path:
    """Where the packages of a repository lie."""
    return folder / ("amd64" if suite == "/" else "pool")


def index_apt_repository(folder: Path, suite: str, signer: Signer) -> None:
    """List and sign what is in a repository's pool."""
    top = folder if suite == "/" else folder / "dists" / suite.split(maxsplit=1)[0]
    index = top if suite == "/" else top / suite.split()[1] / "binary-amd64"
    index.mkdir(parents=True, exist_ok=True)
    listing = _run("dpkg-scanpackages", "--multiversion", pool(folder, suite).name, cwd=folder)
    (index / "Packages").write_bytes(listing)
    digest = _run("sha256sum", index / "Packages").decode().split()[0]
    name, components = (index / "Packages").relative_to(top), suite.rsplit(maxsplit=1)[-1]
    (top / "Release").write_text(
        f"Suite: stable\nCodename: {suite.split(maxsplit=1)[0]}\nArchitectures: amd64\nComponents: {components}\n"
        f"Date: Thu, 01 Jan 2026 00:00:00 UTC\nSHA256:\n {digest} {len(listing)} {name}\n"
    )
    signer.gpg("--local-user", signer.fingerprint, "--clearsign", "-o", str(top / "InRelease"), str(top / "Release"))


def write_dnf_repository(folder: Path, stubs: list[Stub], signer: Signer, scratch: Path) -> None:
    """A repository of signed packages."""
    packages = [write_rpm(stub, folder, scratch) for stub in stubs]
    _run(
        "rpmsign",
        *("--define", f"_gpg_name {signer.fingerprint}", "--define", f"_gpg_path {signer.home}"),
        *("--define", f"__gpg {shutil.which('gpg')}"),
        "--addsign",
        *packages,
        env=os.environ | {"GNUPGHOME": str(signer.home)},
    )
    _run("createrepo_c", "--quiet", folder)


def _fill(tree: Path, stub: Stub) -> None:
    tree.mkdir(parents=True)
    for path, content in stub.files.items():
        if isinstance(content, Path):
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(content, tree / path)
            (tree / path).chmod(0o755)
        elif "bin" in Path(path).parts:
            _program(tree / path, content)
        else:
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(content)


def _program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script)
    path.chmod(0o755)


def _run(*command: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> bytes:
    words = [str(word) for word in command]
    return subprocess.run(words, check=True, capture_output=True, cwd=cwd, env=env).stdout
