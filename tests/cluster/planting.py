"""Plants a build machine's leftovers, and looks for them after the seal; runs in the machine, on its own Python."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

# A comment to apt, which reads one of them.
LEFT = "// left behind\n"


def plant(table: dict[str, Any]) -> list[str]:
    """Write every leftover; give the folders that had to be made for them."""
    contents = dict.fromkeys((*table["gone"], *table["empty"]), LEFT)
    contents |= {entry["path"]: entry["before"] for entry in table["changed"]}
    made: list[str] = []
    for name, content in contents.items():
        path = Path(name)
        made += [str(parent) for parent in path.parents if not parent.exists()]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(content)
    return made


def look(table: dict[str, Any]) -> list[str]:
    """What is left, a line each."""
    there = [f"{name} is there" for name in table["gone"] if os.path.lexists(name)]
    filled = [f"{name} is not empty" for name in table["empty"] if _text(name) != ""]
    kept = [
        f"{entry['path']}: {_text(entry['path'])!r}"
        for entry in table["changed"]
        if _text(entry["path"]) != entry["after"]
    ]
    return [*there, *filled, *kept]


def _text(name: str) -> str:
    try:
        return Path(name).read_text(errors="replace")
    except OSError as error:
        return str(error)


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[2]).read_text())
    print(json.dumps({"plant": plant, "look": look}[sys.argv[1]](given)))  # noqa: T201
