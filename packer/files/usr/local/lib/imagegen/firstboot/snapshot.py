"""Takes a snapshot of etcd when one is due: the program behind imagegen-snapshot.service."""  # noqa: INP001

from __future__ import annotations

import os
import sys
from pathlib import Path

from bootstrap.clock import Clock
from bootstrap.paths import Paths
from upkeep.snapshots import run

if __name__ == "__main__":
    sys.exit(run(Paths(Path(os.environ.get("IMAGEGEN_ROOT", "/"))), Clock(), now="--now" in sys.argv[1:]))
