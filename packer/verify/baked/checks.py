"""A check per declared module, sysctl, package, binary, unit, file, image and setting."""

from __future__ import annotations

import platform
import re
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from baked import packages, settings
from baked.report import Check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_VERSION_COMMAND = {"kubeadm": ("version", "--output=short"), "kubectl": ("version", "--client")}
_ABSENT = "absent"
# Kernels before 4.19 have a module for each version of IP.
_COMMON_NAME = {"nf_conntrack_ipv4": "nf_conntrack"}


def run(declared: dict[str, Any]) -> list[Check]:
    """Check everything that declared.json names."""
    checks: list[Check] = []
    manager = packages.MANAGERS[declared["family"]]
    for kind, of_kind in _KINDS.items():
        checks.extend(of_kind(declared[kind]))
    for kind, name in (("packages", "package"), ("holds", "hold")):
        checks.extend(_of_manager(name, declared[kind], manager))
    return checks


def _of_manager(kind: str, names: list[str], manager: packages.Manager) -> Iterator[Check]:
    if not names:
        return
    wanted, found = {
        "package": ("installed", manager.installed),
        "hold": ("held", manager.held),
    }[kind]
    there = found(_output, _read)
    for name in names:
        yield _same(kind, name, wanted, wanted if name in there else _ABSENT)


def _modules(names: list[str]) -> Iterator[Check]:
    loaded = {line.split()[0] for line in _read(Path("/proc/modules")).splitlines()}
    listing = Path("/lib/modules", platform.release(), "modules.builtin")
    built_in = {Path(line).stem.replace("-", "_") for line in _read(listing).splitlines()}
    loaded |= {_COMMON_NAME[name] for name in loaded & _COMMON_NAME.keys()}
    for name in names:
        found = "loaded" if name in loaded | built_in else "not loaded"
        yield _same("module", name, "loaded", found)


def _sysctls(values: dict[str, str]) -> Iterator[Check]:
    for key, value in values.items():
        found = _read(Path("/proc/sys") / key.replace(".", "/"))
        yield _same("sysctl", key, " ".join(value.split()), " ".join(found.split()))


def _binaries(versions: dict[str, str]) -> Iterator[Check]:
    # Each is a program of a hundred megabytes that has to start.
    with ThreadPoolExecutor(max_workers=2) as pool:
        yield from pool.map(_binary, versions, versions.values())


def _binary(name: str, version: str) -> Check:
    path = Path(name)
    if not path.is_file():
        return _same("binary", name, version or "executable", _ABSENT)
    if not version:
        executable = path.stat().st_mode & stat.S_IXOTH
        return _same("binary", name, "executable", "executable" if executable else "not executable")
    said = _output(name, *_VERSION_COMMAND.get(path.name, ("--version",)))
    passed = re.search(rf"(?<![\w.])v?{re.escape(version)}(?![\w.])", said) is not None
    return Check("binary", name, version, version if passed else " ".join(said.split())[:200], passed)


def _units(states: dict[str, str]) -> Iterator[Check]:
    # Of all at once: to start a program takes long where the machine is emulated.
    command = ("systemctl", "list-unit-files", "--no-legend", "--plain", *states)
    rows = (line.split() for line in _output(*command).splitlines()) if states else ()
    found = {row[0]: row[1] for row in rows if len(row) > 1}
    for name, state in states.items():
        yield _same("unit", name, state, found.get(name, _ABSENT))


def _files(declared: dict[str, dict[str, str]]) -> Iterator[Check]:
    for name, wanted in declared.items():
        path = Path(name)
        yield _same("file", name, f"{wanted['mode']} of root", _mode_and_owner(path))
        if "sha256" in wanted:
            found = sha256(path.read_bytes()).hexdigest() if path.is_file() else _ABSENT
            yield _same("content", name, wanted["sha256"], found)


def _mode_and_owner(path: Path) -> str:
    if not path.exists():
        return _ABSENT
    status = path.stat()
    owner = "root" if status.st_uid == 0 else str(status.st_uid)
    return f"{stat.S_IMODE(status.st_mode):04o} of {owner}"


def _settings(values: dict[str, str]) -> Iterator[Check]:
    for name, value in values.items():
        yield _same("setting", name, value, settings.READERS[name](_output, _read))


def _images(names: list[str]) -> Iterator[Check]:
    if not names:
        return
    known = set(_ctr("images", "list", "--quiet"))
    pinned = set(_ctr("images", "list", "--quiet", 'labels."io.cri-containerd.pinned"==pinned'))
    # Layers are thrown away once unpacked, so of what it says only the last column counts.
    rows = [line.split() for line in _ctr("images", "check")]
    unpacked = {row[0] for row in rows if row[-1] == "true"}
    for name in names:
        faults = [word for word, good in (("not pinned", pinned), ("not unpacked", unpacked)) if name not in good]
        found = _ABSENT if name not in known else ", ".join(faults) or "pinned and unpacked"
        yield _same("image", name, "pinned and unpacked", found)


def _ctr(*arguments: str) -> list[str]:
    return _output("ctr", "--namespace=k8s.io", *arguments).splitlines()


def _same(kind: str, name: str, wanted: str, found: str) -> Check:
    return Check(kind, name, wanted, found or _ABSENT, passed=wanted == found)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""


def _output(*command: str) -> str:
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    except (OSError, subprocess.TimeoutExpired) as failure:
        return str(failure)
    return result.stdout + (result.stderr if not result.stdout else "")


_KINDS: dict[str, Callable[[Any], Iterator[Check]]] = {
    "modules": _modules,
    "sysctls": _sysctls,
    "binaries": _binaries,
    "units": _units,
    "files": _files,
    "images": _images,
    "settings": _settings,
}
