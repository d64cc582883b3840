"""What each family's package manager has installed, and keeps as it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Output = Callable[..., str]
    Read = Callable[[Path], str]
    Names = Callable[[Output, Read], "set[str]"]

_LOCKS = Path("/etc/dnf/plugins/versionlock.list")
_LOCKED = re.compile(r"(?m)^([^\s!#]\S*?)-\d+:\S+$")


@dataclass(frozen=True)
class Manager:
    """How to ask a package manager: the names that are installed, and those that no upgrade may touch."""

    installed: Names
    held: Names


def _deb_installed(output: Output, _: Read) -> set[str]:
    listing = output("dpkg-query", "--show", "--showformat=${db:Status-Abbrev} ${Package}\n")
    # The first letter is what is wanted of it: to be there, or to stay as it is.
    return {line.split()[1] for line in listing.splitlines() if line[:2] in {"ii", "hi"}}


def _deb_held(output: Output, _: Read) -> set[str]:
    return set(output("apt-mark", "showhold").split())


def _rpm_installed(output: Output, _: Read) -> set[str]:
    return set(output("rpm", "--query", "--all", "--queryformat=%{NAME}\n").split())


def _rpm_held(_: Output, read: Read) -> set[str]:
    return set(_LOCKED.findall(read(_LOCKS)))


MANAGERS = {
    "apt": Manager(installed=_deb_installed, held=_deb_held),
    "dnf": Manager(installed=_rpm_installed, held=_rpm_held),
}
