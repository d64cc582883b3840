"""Tells the journal, the console and a status file how a run of upkeep has ended."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from bootstrap import files
from bootstrap.clock import Clock, timestamp
from bootstrap.masking import Masker
from bootstrap.paths import Paths
from bootstrap.report import show

from upkeep.reasons import NEXT_STEPS

OK, WAITING, FAILED = "ok", "waiting", "failed"


class Trouble(Exception):  # noqa: N818  something to wait for is no error
    """Why a run stops here; `status` says whether that is a failure."""

    def __init__(self, status: str, reason: str, message: str) -> None:
        super().__init__(message)
        self.status, self.reason, self.message = status, reason, message


class Telling:
    """One kind of work: a line and a status file of its own."""

    def __init__(self, paths: Paths, clock: Clock, work: str) -> None:
        self._paths, self._clock, self._work = paths, clock, work
        self._mask = Masker()

    @property
    def status_file(self) -> Path:
        return self._paths.home / f"{self._work}.json"

    def quietly(self, message: str, **facts: Any) -> None:
        """Nothing had to be done: for the journal, not for the console."""
        self._tell(OK, "", message, facts, aloud=False)

    def done(self, message: str, **facts: Any) -> None:
        self._tell(OK, "", message, facts, aloud=True)

    def trouble(self, trouble: Trouble, **facts: Any) -> None:
        self._tell(trouble.status, trouble.reason, trouble.message, facts, aloud=True)

    def _tell(self, status: str, reason: str, message: str, facts: dict[str, Any], *, aloud: bool) -> None:
        message, step = self._mask(message), NEXT_STEPS.get(reason, "")
        words = json.dumps(f"{message.rstrip('.')}. {step}" if step else message)
        line = " ".join(
            [
                f"imagegen: upkeep={self._work} status={status}",
                *([f"reason={reason}"] if reason else []),
                f"message={words}",
            ]
        )
        print(line, flush=True)  # noqa: T201
        if aloud:
            show(self._paths.console, line)
        said = {
            "at": timestamp(self._clock.now()),
            "status": status,
            "reason": reason,
            "message": message,
            "nextStep": step,
        }
        # A full disk is told by the line, and must not hide what it is about.
        with suppress(OSError):
            files.write_json(self.status_file, {**said, **facts}, 0o644)
