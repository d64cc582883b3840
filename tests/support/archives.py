"""Debian's own archive, as far as this machine has a mirror of it."""

from __future__ import annotations

from tools import debian

_VENDOR = {False: "https://ftp.debian.org/debian", True: "https://security.debian.org/debian-security"}


def own_mirrors(suite: str = "bookworm") -> list[str]:
    """Options that put the mirrors of this machine in the place of Debian's archive."""
    options = []
    for line in debian.sources(suite):
        _, uri, release, _ = line.split()
        if release in (suite, f"{suite}-security"):
            options += ["--mirror", f"{_VENDOR[release.endswith('-security')]}={uri}"]
    return options
