"""Drops each declared module and sysctl in turn, in the machine, and asks the image's own checks who is red then."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "verify"))

from baked import checks  # noqa: E402

MODULES = Path("/etc/modules-load.d")
SYSCTLS = Path("/etc/sysctl.d/90-imagegen.conf")


def main(request: dict[str, Any]) -> dict[str, dict[str, list[str]]]:
    """Names of the red checks by what was dropped; by the empty name those of the machine as it is."""
    declared = request["declared"]
    return {"modules": _modules(declared), "sysctls": _sysctls(declared, request["wrong"])}


def _modules(declared: dict[str, Any]) -> dict[str, list[str]]:
    """Each boot list without one module and those that would bring it, loaded by the service that loads it at boot."""
    names, lists = declared["modules"], {path: path.read_text() for path in MODULES.glob("imagegen*.conf")}
    needs = {name: _needs(name) for name in names}
    found = {"": _red(declared)}
    try:
        for name in names:
            kept = [other for other in names if name not in needs[other]]
            found[name] = _load(names, dict.fromkeys(lists, "\n".join(kept)), declared)
    finally:
        _write(lists)
        _restart("systemd-modules-load.service")
    return found


def _load(names: list[str], lists: dict[Path, str], declared: dict[str, Any]) -> list[str]:
    for name in reversed(names):
        subprocess.run(["modprobe", "--remove", name], check=False, capture_output=True)
    _write(lists)
    _restart("systemd-modules-load.service")
    return _red(declared)


def _restart(unit: str) -> None:
    # Many in a few seconds would be over systemd's limit.
    _run("systemctl", "reset-failed", unit)
    _run("systemctl", "restart", unit)


def _write(lists: dict[Path, str]) -> None:
    for path, text in lists.items():
        path.write_text(text)


def _needs(name: str) -> set[str]:
    shown = _run("modprobe", "--show-depends", "--ignore-install", name).splitlines()
    return {
        Path(line.split()[1]).name.partition(".")[0].replace("-", "_") for line in shown if line.startswith("insmod")
    } | {name}


def _sysctls(declared: dict[str, Any], wrong: dict[str, str]) -> dict[str, list[str]]:
    """Each file without one line, read over values that are all wrong."""
    text = SYSCTLS.read_text()
    found = {"": _red(declared)}
    try:
        for key in declared["sysctls"]:
            SYSCTLS.write_text("".join(line for line in text.splitlines(keepends=True) if _key(line) != key))
            for each, value in wrong.items():
                Path("/proc/sys", each.replace(".", "/")).write_text(value)
            _restart("systemd-sysctl.service")
            found[key] = _red(declared)
    finally:
        SYSCTLS.write_text(text)
        _restart("systemd-sysctl.service")
    return found


def _key(line: str) -> str:
    return line.partition("=")[0].strip()


def _red(declared: dict[str, Any]) -> list[str]:
    return sorted(check.name for check in checks.run(declared) if not check.passed)


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    print(json.dumps(main(json.loads((HERE / "request.json").read_text()))))  # noqa: T201
