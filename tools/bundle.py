"""The offline bundle that the machine tests bake from: binaries, packages, images."""

import argparse
import functools
import hashlib
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from tools import base, cache, debian, images, toolbox
from tools.releases import NEWEST, Release

PACKAGES = (
    "chrony",
    "conntrack",
    "ebtables",
    "ethtool",
    "haproxy",
    "ipset",
    "iptables",
    "ipvsadm",
    "jq",
    "keepalived",
    "nftables",
    "runc",
    "socat",
)
_RUNTIME = ("containerd", "containerd-shim-runc-v2", "ctr")
_KUBERNETES = ("kubeadm", "kubectl", "kubelet")
_CNI = ("bridge", "host-local", "loopback", "portmap")
_ARCHITECTURE = "amd64"


def bundle(packages: tuple[str, ...] = PACKAGES, suite: str = base.SUITE, kubernetes: Release = NEWEST) -> Path:
    """Give the folder of a bundle, made first where the cache has it not."""
    debs = _packages(tuple(sorted(packages)), suite)
    # What is in a container image is its own affair: one suite's userland does for the nodes of all.
    archives = [images.archive(image, base.SUITE) for image in images.images(kubernetes)]
    made_from = [debs.name, *(path.parent.name for path in archives)]
    made_from += [toolbox.path(name).parent.name for name in (*_binaries(kubernetes), *_CNI)]
    key = cache.key(Path(__file__).read_bytes(), *made_from)
    return cache.made("bundle", key, functools.partial(_make, debs, archives, kubernetes)) / "bundle"


def _binaries(kubernetes: Release) -> dict[str, str]:
    """What goes into bin/, by the toolbox's name."""
    return {name: name for name in _RUNTIME} | {kubernetes.binary(name): name for name in _KUBERNETES}


def _packages(packages: tuple[str, ...], suite: str) -> Path:
    installed = base.base(suite).installed
    key = cache.key(suite, installed.read_bytes(), *packages)

    def make(folder: Path) -> None:
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            debian.download(packages, suite=suite, installed=installed, folder=Path(scratch))
            for deb in Path(scratch).glob("cache/archives/*.deb"):
                deb.rename(folder / f"{deb.name.partition('_')[0]}.deb")

    return cache.made("packages", key, make)


def _make(debs: Path, archives: list[Path], kubernetes: Release, folder: Path) -> None:
    top = folder / "bundle"
    files = [
        _add(top, f"bin/{name}", toolbox.path(binary), name, _version(binary))
        for binary, name in _binaries(kubernetes).items()
    ]
    files += [_add(top, f"cni/{name}", toolbox.path(name), name, _version(name)) for name in _CNI]
    for deb in sorted(debs.glob("*.deb")):
        name, version = _field(deb, "Package"), _field(deb, "Version")
        files.append(_add(top, f"packages/{deb.name}", deb, name, version))
    for image, path in zip(images.images(kubernetes), archives, strict=True):
        files.append(_add(top, f"images/{path.name}", path, image.reference, image.reference.rpartition(":")[2]))
    described = {
        "format": 1,
        "architecture": _ARCHITECTURE,
        "kubernetes": kubernetes.version,
        "files": sorted(files, key=lambda file: str(file["path"])),
    }
    (top / "bundle.json").write_text(json.dumps(described, indent=2) + "\n")


_KINDS = {"bin": "binary", "cni": "cni", "packages": "package", "images": "image"}


def _add(top: Path, place: str, source: Path, name: str, version: str) -> dict[str, str | int]:
    target = top / place
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
    with target.open("rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "path": place,
        "kind": _KINDS[place.partition("/")[0]],
        "name": name,
        "version": version,
        "sha256": checksum,
        "size": target.stat().st_size,
    }


def _version(binary: str) -> str:
    return toolbox.component_of(binary).version


def _field(deb: Path, name: str) -> str:
    command = ["dpkg-deb", "--field", str(deb), name]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def main() -> None:
    """Make the bundle and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package", nargs="*", default=PACKAGES, help="Debian packages in the bundle")
    parser.add_argument("--suite", default=base.SUITE, help="Debian release that they are of")
    arguments = parser.parse_args()
    print(bundle(tuple(arguments.package), arguments.suite))


if __name__ == "__main__":
    main()
