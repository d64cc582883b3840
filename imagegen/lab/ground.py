"""What an nspawn machine needs changed on its disk before its first boot, all of it, with the reason."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

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
