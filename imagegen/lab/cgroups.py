"""A control group of a machine's own in every hierarchy that the host has."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from imagegen.lab.process import LabError

MOUNTS = Path("/proc/self/mounts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hierarchies:
    """Where the host's control groups are mounted; one path where there is only version 2."""

    roots: tuple[Path, ...]
    unified: bool

    @classmethod
    def of_host(cls) -> "Hierarchies":
        return cls.parse(MOUNTS.read_text(encoding="utf-8"))

    @classmethod
    def parse(cls, mounts: str) -> "Hierarchies":
        """Read them from the lines of a mount table."""
        fields = [line.split() for line in mounts.splitlines()]
        kinds = {Path(field[1]): field[2] for field in fields if field[2] in {"cgroup", "cgroup2"}}
        return cls(roots=tuple(sorted(kinds)), unified="cgroup" not in kinds.values())

    def group(self, name: str) -> "Group":
        return Group(name=name, folders=tuple(root / name for root in self.roots))

    def group_names(self, prefix: str) -> tuple[str, ...]:
        """Names of the top groups that start with `prefix`."""
        return tuple(sorted({path.name for root in self.roots for path in root.glob(f"{prefix}*")}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One machine's group: the same name below each hierarchy."""

    name: str
    folders: tuple[Path, ...]

    def create(self) -> None:
        for folder in self.folders:
            folder.mkdir()
            _fill_cpuset(folder)

    def entrances(self) -> tuple[str, ...]:
        """The files that a process writes its id to in order to be inside."""
        return tuple(str(folder / "cgroup.procs") for folder in self.folders)

    def processes(self) -> frozenset[int]:
        """Every process in the group or below it."""
        texts = (_text(path) for folder in self.folders for path in folder.rglob("cgroup.procs"))
        return frozenset(int(pid) for text in texts for pid in text.split()) - {0}

    def memory(self) -> int:
        """Bytes of memory that its processes hold, without what the kernel caches for them."""
        for folder in self.folders:
            stat = dict(line.split(maxsplit=1) for line in _text(folder / "memory.stat").splitlines())
            if "total_rss" in stat:
                return int(stat["total_rss"]) + int(stat.get("total_shmem", 0))
            if "anon" in stat:
                return int(stat["anon"])
        raise LabError(f"no memory figures of {self.name}")

    def delete(self, *, timeout: float = 20) -> None:
        """Kill what is left inside, then remove the group everywhere."""
        limit = time.monotonic() + timeout
        while any(folder.exists() for folder in self.folders):
            for pid in self.processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._thaw()
            for folder in self.folders:
                _remove_tree(folder)
            if time.monotonic() > limit:
                raise LabError(f"control group {self.name} does not go away: {sorted(self.processes())}")
            time.sleep(0.05)

    def _thaw(self) -> None:
        """What runc has frozen for the moment in which the power went does not even die (version 1's freezer)."""
        for folder in self.folders:
            for state in folder.rglob("freezer.state"):
                with contextlib.suppress(OSError):
                    state.write_text("THAWED", encoding="utf-8")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def _fill_cpuset(folder: Path) -> None:
    """A version 1 cpuset takes no process until it has processors and memory nodes."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        of_parent = _text(folder.parent / name)
        if of_parent.strip():
            (folder / name).write_text(of_parent, encoding="utf-8")


def _deepest_first(folder: Path) -> Iterator[Path]:
    for parent, _, _ in os.walk(folder, topdown=False):
        yield Path(parent)


def _remove_tree(folder: Path) -> None:
    for path in _deepest_first(folder):
        with contextlib.suppress(OSError):
            path.rmdir()
