"""Renews this control plane's certificates when it is time: the program behind imagegen-renew.service."""  # noqa: INP001

from __future__ import annotations

import os
import sys
from pathlib import Path

from bootstrap.clock import Clock
from bootstrap.paths import Paths
from upkeep.renewal import run

# A quarter of the year that kubeadm's certificates last.
BEFORE_DAYS = "90"

if __name__ == "__main__":
    days = float(os.environ.get("IMAGEGEN_RENEW_DAYS", BEFORE_DAYS))
    sys.exit(run(Paths(Path(os.environ.get("IMAGEGEN_ROOT", "/"))), Clock(), days))
