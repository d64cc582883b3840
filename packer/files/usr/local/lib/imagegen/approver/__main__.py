"""Approves kubelets' serving certificates: the program behind imagegen-approver.service."""  # noqa: INP001

from __future__ import annotations

import sys
from pathlib import Path

from approving.cluster import Cluster
from approving.program import run
from approving.settings import read_settings

if __name__ == "__main__":
    sys.exit(run(Cluster(Path("/etc/kubernetes/admin.conf")), read_settings(Path("/etc/imagegen/approver.json"))))
