"""What the ground changes on a machine's disk before its first boot, all of it, with the reason."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import trees

SEED = "var/lib/cloud/seed/nocloud"
SEED_FILES = ("user-data", "meta-data", "network-config")
UNIT = "etc/systemd/system/lab-ground.service"
WANTED = "etc/systemd/system/sysinit.target.wants/lab-ground.service"

UNIT_TEXT = """\
[Unit]
Description=What a container lacks of a machine
DefaultDependencies=no
Before=sysinit.target systemd-sysctl.service systemd-modules-load.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=mount --make-rshared /
ExecStart=mount -o remount,bind,rw /proc/sys
ExecStart=sh -c 'for each in /sys/fs/cgroup /sys/fs/cgroup/*; do \
    if mountpoint -q "$each"; then mount -o remount,bind,rw "$each" || exit 1; fi; done'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A path that the ground puts its own content at."""

    path: str
    content: str
    reason: str
    link: bool = False


GROUND = (
    Change(
        path="etc/fstab",
        content="",
        reason="the root file system is there already; its label is not to be seen from inside",
    ),
    Change(
        path=UNIT,
        content=UNIT_TEXT,
        reason="nspawn mounts control groups and /proc/sys read-only and / private; a kubelet needs them as"
        " they are on a machine",
    ),
    Change(path=WANTED, content=f"/{UNIT}", reason="starts that unit", link=True),
)


def prepare(root: Path, seed: Path) -> None:
    """Apply the table and put the emitted seed where cloud-init looks for one."""
    apply(root)
    (root / SEED).mkdir(parents=True, mode=0o755)
    for name in SEED_FILES:
        shutil.copyfile(seed / name, root / SEED / name)
        (root / SEED / name).chmod(0o600)


def apply(root: Path) -> None:
    """Make every change of the table."""
    for change in GROUND:
        _apply(root, change)


def take_back(root: Path) -> None:
    """Remove what the table adds; what it replaces stays replaced."""
    (root / WANTED).unlink()
    (root / UNIT).unlink()


def declared(pristine: Path) -> frozenset[str]:
    """Every path that may, and must, differ from the pristine disk: table, seed and their new folders."""
    paths = [change.path for change in GROUND] + [f"{SEED}/{name}" for name in SEED_FILES]
    new_folders = {str(parent) for path in paths for parent in Path(path).parents if not (pristine / parent).exists()}
    return frozenset(paths) | new_folders


def undeclared(pristine: Path, root: Path, seed: Path) -> tuple[str, ...]:
    """Differences that nobody declared, and declarations that do not hold; empty if all is well."""
    found, expected = trees.differences(pristine, root), declared(pristine)
    return (
        *(f"differs, not in the table: /{path}" for path in sorted(found - expected)),
        *(f"in the table, does not differ: /{path}" for path in sorted(expected - found)),
        *(f"not as in the table: /{change.path}" for change in GROUND if _content(root, change) != change.content),
        *(
            f"not as emitted: /{SEED}/{name}"
            for name in SEED_FILES
            if (root / SEED / name).read_bytes() != (seed / name).read_bytes()
        ),
    )


def table() -> Iterator[str]:
    """The table as lines for the reader of a test's output."""
    for change in GROUND:
        yield f"  /{change.path}: {change.reason}"
    yield f"  /{SEED}/: the emitted NoCloud seed, byte for byte"


def _apply(root: Path, change: Change) -> None:
    path = root / change.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if change.link:
        path.symlink_to(change.content)
    else:
        path.write_text(change.content, encoding="utf-8")
        path.chmod(0o644)


def _content(root: Path, change: Change) -> str:
    path = root / change.path
    return str(path.readlink()) if change.link else path.read_text(encoding="utf-8")
