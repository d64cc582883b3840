"""Makes this machine a node of its cluster: the program behind imagegen-bootstrap.service."""  # noqa: INP001

from __future__ import annotations

import os
import sys
from pathlib import Path

from bootstrap.clock import Clock
from bootstrap.paths import Paths
from bootstrap.program import run

if __name__ == "__main__":
    sys.exit(run(Paths(Path(os.environ.get("IMAGEGEN_ROOT", "/"))), Clock()))
