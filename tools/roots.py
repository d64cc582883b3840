"""Debian systems with their own cloud-init and Python, as folders: what a node's programs say, without a machine."""

import subprocess
from pathlib import Path

from tools import cache, debian

SUITES = ("bookworm", "trixie", "forky")
"""Debian 12, Debian 13, and the one in the making: the newest cloud-init and Python."""
_OPTIONS = (
    "--quiet",
    "--variant=minbase",
    "--include=ca-certificates,cloud-init,iproute2,sudo",
    "--dpkgopt=force-unsafe-io",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    # A mirror's copy of a release in the making may be older than its Release file allows.
    '--aptopt=Acquire::Check-Valid-Until "false"',
)


def root(suite: str) -> Path:
    """Give the root folder of a suite, made first where the cache has it not."""
    return cache.made(_shelf(suite), _key(suite), lambda folder: _make(suite, folder)) / "root"


def is_made(suite: str) -> bool:
    """Tell whether the cache has this suite."""
    return cache.find(_shelf(suite), _key(suite)) is not None


def _shelf(suite: str) -> str:
    return f"roots/{suite}"


def _key(suite: str) -> str:
    return cache.key(suite, *_OPTIONS)


def _make(suite: str, folder: Path) -> None:
    command = ["mmdebstrap", *_OPTIONS, suite, str(folder / "root"), *debian.sources(suite)]
    subprocess.run(command, check=True)
