"""A kernel of user-mode Linux with what a Kubernetes node needs: Debian's source, this folder's configuration."""

import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools import cache, debian

# The oldest with the fast way into a process (`seccomp=on`), and with both kinds of packet filters for IPv4.
_SOURCE, _SUITE = "linux-source-7.2", "trixie-backports"
_CONFIG = Path(__file__).resolve().parent / "uml-kernel" / "kernel.config"
_NEEDED = {"bc": "bc", "bison": "bison", "depmod": "kmod", "flex": "flex", "xz": "xz-utils"}
_MAKE = ("make", "--silent", "ARCH=um")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernel:
    """A kernel in the cache: the program that is one, and the folder for a disk's /usr/lib/modules."""

    program: Path
    modules: Path

    @property
    def release(self) -> str:
        """What `uname --kernel-release` says in its machines."""
        return self.modules.name


def is_built() -> bool:
    """Tell whether the cache has the kernel."""
    return cache.find("kernel", _key()) is not None


def build() -> Path:
    """Give the kernel's folder, built first where the cache has it not: a quarter of an hour."""
    return cache.made("kernel", _key(), _build)


def kernel() -> Kernel:
    """Give the kernel, built first where the cache has it not."""
    folder = build()
    (modules,) = (folder / "lib/modules").iterdir()
    return Kernel(program=folder / "linux", modules=modules)


def _key() -> str:
    return cache.key(_SOURCE, _SUITE, _CONFIG.read_bytes())


def _build(folder: Path) -> None:
    if missing := [package for program, package in _NEEDED.items() if shutil.which(program) is None]:
        raise FileNotFoundError(f"a kernel needs more programs to be built: apt-get install {' '.join(missing)}")
    with tempfile.TemporaryDirectory(prefix="imagegen-kernel-", dir=folder) as scratch:
        source = _unpacked(Path(scratch))
        _configure(source)
        _make(source, f"-j{os.cpu_count()}", "linux", "modules")
        _make(source, f"INSTALL_MOD_PATH={folder}", "INSTALL_MOD_STRIP=1", "modules_install")
        shutil.copy2(source / "linux", folder / "linux")
    for link in folder.glob("lib/modules/*/build"):
        link.unlink()


def _unpacked(scratch: Path) -> Path:
    package = debian.package(_SOURCE, suite=_SUITE, folder=scratch / "archive")
    subprocess.run(["dpkg-deb", "--extract", package, scratch / "package"], check=True)
    (archive,) = (scratch / "package/usr/src").glob("*.tar.xz")
    subprocess.run(["tar", "--extract", "--file", archive, "--directory", scratch], check=True)
    return scratch / _SOURCE


def _configure(source: Path) -> None:
    """Set what is asked for; make drops what an option that is not set would be needed for, and says nothing."""
    _make(source, "x86_64_defconfig")
    asked = _CONFIG.read_text()
    with (source / ".config").open("a") as config:
        config.write(asked)
    _make(source, "olddefconfig")
    got = {*(source / ".config").read_text().splitlines()}
    if lost := [line for line in asked.splitlines() if line.startswith("CONFIG_") and not _holds(line, got)]:
        raise ValueError(f"{_SOURCE} does not take: {', '.join(lost)}")


def _holds(line: str, got: set[str]) -> bool:
    name, _, value = line.partition("=")
    return line in got or (value == "n" and f"# {name} is not set" in got)


def _make(source: Path, *arguments: str) -> None:
    subprocess.run([*_MAKE, *arguments], cwd=source, check=True)
