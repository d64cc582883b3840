"""Debian's own archive, as far as this machine has a mirror of it."""

from __future__ import annotations

from tools import debian


def own_mirrors(suite: str = "bookworm") -> list[str]:
    """Options that put the mirrors of this machine in the place of Debian's archive."""
    options = []
    for line in debian.sources(suite):
        _, uri, release, _ = line.split()
        if release in (suite, f"{suite}-security"):
            name = "debian-security" if release.endswith("-security") else "debian"
            options += ["--mirror", f"https://deb.debian.org/{name}={uri}"]
    return options
