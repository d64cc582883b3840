"""The page about the house names its rooms."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_module_stands_in_the_table() -> None:
    named = re.findall(r"^\| [0-9] \| (.+?) \|", (ROOT / "ARCHITECTURE.md").read_text(), re.MULTILINE)
    rooms = {name.strip("`/") for cell in named for name in cell.split(", ")}
    paths = [path for path in (ROOT / "imagegen").iterdir() if not path.name.startswith("__pycache__")]
    modules = {path.stem for path in paths if path.suffix == ".py" or path.is_dir()}
    assert rooms == modules - {"__init__"}
