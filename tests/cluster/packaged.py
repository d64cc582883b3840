"""The vendors' package repositories with the real programs in them, laid out and signed as theirs, and a registry.

The packages have their vendors' names, files, needs and manners: containerd.io brings a configuration of its own with
the kubelet's interface switched off, and starts; kubelet brings a unit that first boot's is to win over.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.cluster import serving
from tests.support import vendors
from tests.support.vendors import CONTAINERD, KUBERNETES, Stub

DEBIAN, DEBIAN_SUITE = "ftp.debian.org/debian", "bookworm main"
_DOCKER, _DOCKER_SUITE = "download.docker.com/linux/debian", "bookworm stable"
_KUBERNETES = "pkgs.k8s.io/core:/stable:/v1.37/deb"
# Docker's packages have no suite to themselves; the one of another release must not be taken.
_REVISION = "1~debian.12~bookworm"
_UNIT = "[Unit]\nDescription=as the vendor has it\n[Service]\nExecStart={}\n[Install]\nWantedBy=multi-user.target\n"
_STARTS = "#!/bin/sh\nset -e\nsystemctl daemon-reload\nsystemctl enable {0}.service\nsystemctl restart {0}.service\n"


def lay_out(folder: Path, bundle: Path, signer: vendors.Signer, scratch: Path) -> None:
    """Fill a folder that is served at one address, with a folder for each of the vendors' hosts."""
    for path, suite, stubs in (
        (_KUBERNETES, "/", list(_kubernetes(bundle))),
        (_DOCKER, _DOCKER_SUITE, [_containerd(bundle, scratch)]),
    ):
        vendors.write_apt_repository(folder / path, suite, stubs, signer, scratch)
    (folder / _KUBERNETES / "Release.key").write_bytes(signer.public)
    (folder / _DOCKER / "gpg").write_bytes(signer.public)
    shutil.copytree(bundle / "packages", vendors.pool(folder / DEBIAN, DEBIAN_SUITE))
    vendors.index_apt_repository(folder / DEBIAN, DEBIAN_SUITE, signer)
    lay_out_images(folder, bundle)


def lay_out_images(folder: Path, bundle: Path) -> None:
    """The registries, each below `v2/<host>/`."""
    for file in json.loads((bundle / "bundle.json").read_text())["files"]:
        if file["kind"] == "image":
            serving.add_image(folder, file["name"], bundle / file["path"])


def _kubernetes(bundle: Path) -> Iterator[Stub]:
    programs = bundle / "bin"
    yield _of_kubernetes("kubectl", {"usr/bin/kubectl": programs / "kubectl"})
    yield _of_kubernetes(
        "kubelet",
        {"usr/bin/kubelet": programs / "kubelet", "lib/systemd/system/kubelet.service": _UNIT.format("/bin/false")},
        needs=("iptables", "kubernetes-cni", "iproute2", "mount", "util-linux"),
        installed=_STARTS.format("kubelet").replace("systemctl restart", "systemctl start"),
    )
    dropin = "lib/systemd/system/kubelet.service.d/10-kubeadm.conf"
    yield _of_kubernetes(
        "kubeadm",
        {"usr/bin/kubeadm": programs / "kubeadm", dropin: "[Service]\nExecStart=\nExecStart=/bin/false\n"},
        needs=("kubelet", "kubectl", "kubernetes-cni", "cri-tools"),
    )
    plugins = {f"opt/cni/bin/{path.name}": path for path in (bundle / "cni").iterdir()}
    yield Stub(name="kubernetes-cni", version="1.9.1", revision="1.1", files=plugins)
    # cri-tools cannot be had here; nothing of imagegen's runs it.
    yield Stub(name="cri-tools", version="1.37.0", revision="1.1", files={"usr/bin/crictl": "#!/bin/sh\nexit 1\n"})


def _of_kubernetes(name: str, files: dict[str, str | Path], needs: tuple[str, ...] = (), installed: str = "") -> Stub:
    return Stub(name=name, version=KUBERNETES, revision="1.1", files=files, needs=needs, installed=installed)


def _containerd(bundle: Path, scratch: Path) -> Stub:
    names = ("containerd", "containerd-shim-runc-v2", "ctr")
    files: dict[str, str | Path] = {f"usr/bin/{name}": bundle / "bin" / name for name in names}
    files["usr/bin/runc"] = debians_runc(bundle, scratch)
    files["etc/containerd/config.toml"] = 'disabled_plugins = ["cri"]\n'
    files["lib/systemd/system/containerd.service"] = _UNIT.format("/usr/bin/containerd")
    return Stub(
        name="containerd.io",
        version=CONTAINERD,
        revision=_REVISION,
        files=files,
        needs=("libseccomp2",),
        installed=_STARTS.format("containerd"),
    )


def debians_runc(bundle: Path, scratch: Path) -> Path:
    """Debian's, for the vendor's cannot be had here."""
    tree = scratch / "runc"
    subprocess.run(["dpkg-deb", "-x", bundle / "packages/runc.deb", tree], check=True)
    (program,) = (path for path in tree.glob("usr/*bin/runc") if not path.is_symlink())
    return program


def set_mirrors(settings: Path, pairs: Iterable[str]) -> None:
    """Let an emitted image ask for everything elsewhere."""
    text = settings.read_text()
    assert "\nMIRRORS=''\n" in text
    settings.write_text(text.replace("\nMIRRORS=''\n", f"\nMIRRORS='{' '.join(pairs)}'\n"))


def trust_registry(root: Path, server: str) -> Path:
    """Tell a machine's containerd that a registry speaks no TLS; the file that says so."""
    hosts = root / f"etc/containerd/certs.d/{server}/hosts.toml"
    hosts.parent.mkdir(parents=True)
    hosts.write_text(f'server = "http://{server}"\n')
    return hosts
