"""One run of first boot, from the lock to the exit code."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from bootstrap.boot import Boot
from bootstrap.clock import Clock
from bootstrap.engine import attend_all
from bootstrap.failures import Final, NotYet
from bootstrap.masking import Masker
from bootstrap.paths import Paths
from bootstrap.report import Report
from bootstrap.state import State
from bootstrap.table import STEPS
from bootstrap.tools import Tools

SUCCESS = 0
# The service knows it as the code after which there is no restart.
FINAL = 78


def run(paths: Paths, clock: Clock) -> int:
    """Makes the machine a node; the exit code is for systemd."""
    paths.home.mkdir(parents=True, exist_ok=True)
    # Its secrets are in files and folders of their own mode; the status is for everybody.
    paths.home.chmod(0o755)
    mask = Masker()
    report = Report(paths, clock, mask)
    tools = Tools(paths, mask, report)
    with _only_one(paths, report) as lock:
        # kubeadm inherits the lock: if this program is killed, the next run waits for what it started.
        tools.kept = (lock,)
        boot = Boot(paths, clock, mask, report, tools, State.load(paths.state))
        boot.report_identity()
        try:
            attend_all(boot, STEPS)
        except Final as failure:
            report.failed(failure)
            return FINAL
        report.done()
    return SUCCESS


@contextmanager
def _only_one(paths: Paths, report: Report) -> Iterator[int]:
    lock = os.open(paths.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report.begin("contract")
            report.waiting(NotYet("locked", "another run of first boot is at work"))
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock
    finally:
        os.close(lock)
