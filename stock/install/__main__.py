"""Installs this machine by the bake's own scripts, then lets first boot begin."""

from __future__ import annotations

import os
import sys
from pathlib import Path

WORK = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(WORK / "files/usr/local/lib/imagegen/firstboot"))

from bootstrap.clock import Clock  # noqa: E402
from bootstrap.paths import Paths  # noqa: E402
from installing.program import run  # noqa: E402

if __name__ == "__main__":
    sys.exit(run(Paths(Path(os.environ.get("IMAGEGEN_ROOT", "/"))), Clock(), WORK))
