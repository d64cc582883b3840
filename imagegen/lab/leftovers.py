"""What killed runs left behind: found by name, removed when its owner is dead."""

import itertools
import os
import re
from pathlib import Path

from imagegen.lab.cgroups import Hierarchies
from imagegen.lab.network import NAMESPACES, delete_namespace
from imagegen.lab.process import run

PREFIX = "imagegen-lab-"
MOUNT_TABLE = Path("/proc/self/mountinfo")
_NAME = re.compile(rf"{PREFIX}(\d+)-\d+")
_NUMBERS = itertools.count()


def new_name() -> str:
    """A name for a lab of this process, which everything that it makes on the host carries."""
    return f"{PREFIX}{os.getpid()}-{next(_NUMBERS)}"


def remove() -> None:
    """End the machines of dead owners, then unmount and delete what they stood on."""
    hierarchies = Hierarchies.of_host()
    for name in hierarchies.group_names(PREFIX):
        if _is_orphan(name):
            hierarchies.group(name).delete()
    for folder in mounts(MOUNT_TABLE.read_text(encoding="utf-8")):
        if _is_orphan(folder):
            run("umount", folder)
    for path in NAMESPACES.glob(f"{PREFIX}*"):
        if _is_orphan(path.name):
            delete_namespace(path.name)


def mounts(table: str) -> tuple[str, ...]:
    """Mount points in a `mountinfo` table that carry a lab's name, the last mounted first."""
    points = (line.split()[4] for line in table.splitlines())
    return tuple(point for point in points if _NAME.search(point))[::-1]


def _is_orphan(name: str) -> bool:
    owner = _NAME.search(name)
    return owner is not None and not Path(f"/proc/{owner[1]}").exists()
