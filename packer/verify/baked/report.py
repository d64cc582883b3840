"""The report of a bake: every check, what was wanted, what was found."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Check:
    """One thing that was declared, and how it was found."""

    kind: str
    name: str
    wanted: str
    found: str
    passed: bool


def write(path: Path, checks: list[Check]) -> None:
    """Write the report."""
    report = {
        "format": 1,
        "passed": bool(checks) and all(check.passed for check in checks),
        "checks": [asdict(check) for check in checks],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=2) + "\n")


def failures(report: dict[str, Any]) -> list[str]:
    """Give a line for each check that failed."""
    if not report["checks"]:
        return ["nothing was declared, so nothing was checked"]
    return [
        f"{check['kind']} {check['name']}: wanted {check['wanted']}, found {check['found']}"
        for check in report["checks"]
        if not check["passed"]
    ]
