"""What of Debian goes into container images: network tools and busybox, with their libraries."""

import shutil
import subprocess
from pathlib import Path

from tools import cache, debian

# The static busybox crashes when it looks up a name without the libraries of its glibc.
_PACKAGES = ("busybox", "conntrack", "ipset", "iptables", "netbase", "nftables")
_PROGRAMS = ("xtables-legacy-multi", "xtables-nft-multi", "ipset", "conntrack", "nft")
# The legacy tables work on every kernel that the machine tests run on; the other kind is there beside them.
_TABLES = tuple(f"{family}{action}" for family in ("iptables", "ip6tables") for action in ("", "-save", "-restore"))
# ipset looks names of protocols up in it.
_PROTOCOLS = "etc/protocols"
_LOADER = "lib64/ld-linux-x86-64.so.2"
_COMMANDS = ("sh", "cat", "cp", "hostname", "httpd", "ls", "mkdir", "nslookup", "ps", "sleep", "wget")


def add_network_tools(tree: Path, suite: str) -> None:
    """Put the tools that kube-proxy and flannel call into an image's tree."""
    source = _extracted(suite)
    modules = sorted((source / "usr/lib").glob("*/xtables/*.so"))
    _install_linked(source, [*(source / "usr/sbin" / name for name in _PROGRAMS), *modules], tree)
    shutil.copyfile(source / _PROTOCOLS, tree / _PROTOCOLS)
    for name in _TABLES:
        (tree / "usr/sbin" / name).symlink_to("xtables-legacy-multi")
        (tree / "usr/sbin" / name.replace("tables", "tables-nft")).symlink_to("xtables-nft-multi")


def add_commands(tree: Path, suite: str) -> None:
    """Put a shell and a handful of commands into an image's tree."""
    source = _extracted(suite)
    _install_linked(source, [source / "bin/busybox"], tree)
    for name in _COMMANDS:
        (tree / "bin" / name).symlink_to("busybox")


def install(source: Path, target: Path) -> None:
    """Copy a program to its place, executable for everybody."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755)


def _extracted(suite: str) -> Path:
    key = cache.key(suite, *_PACKAGES)
    return cache.made("userland", key, lambda folder: _extract(suite, folder / "tree")) / "tree"


def _extract(suite: str, tree: Path) -> None:
    include = f"--include={','.join(_PACKAGES)}"
    sources = debian.sources(suite)
    subprocess.run(["mmdebstrap", "--quiet", "--variant=extract", include, suite, tree, *sources], check=True)


def _install_linked(source: Path, binaries: list[Path], tree: Path) -> None:
    names = [binary.relative_to(source) for binary in binaries]
    for name in (*names, *_libraries(source, names)):
        install(source / name, tree / name)


def _libraries(source: Path, names: list[Path]) -> list[Path]:
    found = {_LOADER}
    for name in names:
        command = ["chroot", str(source), f"/{_LOADER}", "--list", f"/{name}"]
        listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found |= {word.lstrip("/") for word in listing.split() if word.startswith("/")}
    return [Path(library) for library in sorted(found)]
