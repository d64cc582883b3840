"""Tells the console, the journal and status.json how far first boot is."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from bootstrap import files
from bootstrap.clock import Clock, timestamp
from bootstrap.failures import Trouble
from bootstrap.masking import Masker
from bootstrap.paths import Paths
from bootstrap.reasons import Note

LINE_EVERY = 30.0
# Statuses after which nothing more is written.
LASTING = {"done", "failed"}


def format_line(phase: str, status: str, seconds: float, reason: str = "", message: str = "", *, step: str = "") -> str:
    """One line of the console, without control characters whatever the message holds."""
    parts = [f"imagegen: phase={phase}", *([f"step={step}"] if step else [])]
    parts += [f"status={status} seconds={seconds:.1f}"]
    parts += [f"reason={reason}"] if reason else []
    parts += [f"message={json.dumps(message)}"] if message else []
    return " ".join(parts)


class Report:
    """The story of this run; `frozen` keeps the status of the boot that made the node."""

    def __init__(self, paths: Paths, clock: Clock, mask: Masker) -> None:
        self._paths, self._clock, self._mask = paths, clock, mask
        self._phase, self._step, self._started, self._spoken = "", "", 0.0, 0.0
        self._key: tuple[str, ...] = ()
        self._status: dict[str, Any] = {}
        self._phases = _earlier_phases(paths)
        self.facts: dict[str, Any] = {"contract": 0, "role": "", "tries": 0}
        self.frozen = paths.done.exists()

    def begin(self, phase: str, step: str = "") -> None:
        """A phase, or one of the steps that a phase is told in."""
        self._phase, self._step, self._started, self._key = phase, step, self._clock.elapsed(), ()
        self._record("running")

    def ok(self, note: Note) -> None:
        self._say("ok", note.reason, note.message)
        self._record("ok", note._asdict())

    def waiting(self, pause: Trouble) -> None:
        """Tells at first, when the reason changes, and now and then: a wait may last for days."""
        fresh = self._key != ("waiting", pause.reason)
        if fresh or self._clock.elapsed() - self._spoken >= LINE_EVERY:
            self._say("waiting", pause.reason, pause.message)
            self._record("waiting", _why(pause))

    def retry(self, failure: Trouble, delay: float) -> None:
        message = f"{failure.message}; again in {delay:.0f} s"
        self._say("retry", failure.reason, message)
        self._record("waiting", {**_why(failure), "message": message}, entry="retry")

    def failed(self, failure: Trouble) -> None:
        self._say("failed", failure.reason, f"{failure.message}. {failure.next_step}")
        self._record("failed", _why(failure))

    def done(self) -> None:
        self._record("done", entry="ok")
        self.frozen = True

    def relay(self, text: str) -> None:
        """A line of another program, without secrets already: for the journal only."""
        print(text, flush=True)  # noqa: T201

    def _say(self, status: str, reason: str, message: str) -> None:
        self._spoken = self._clock.elapsed()
        line = format_line(self._phase, status, self._seconds(), reason, self._mask(message), step=self._step)
        print(line, flush=True)  # noqa: T201
        show(self._paths.console, line)

    def _seconds(self) -> float:
        return self._clock.elapsed() - self._started

    def _record(self, status: str, why: Mapping[str, str] | None = None, entry: str = "") -> None:
        why = why or {}
        key = (status, why.get("reason", ""))
        since = self._status.get("since") if key == self._key else timestamp(self._clock.now())
        self._key = key
        seconds = round(self._seconds(), 1)
        name = f"{self._phase}/{self._step}" if self._step else self._phase
        self._phases[name] = {"name": name, "status": entry or status, "seconds": seconds}
        self._status = {
            **self.facts,
            "phase": self._phase,
            "status": status,
            "reason": why.get("reason", ""),
            "message": self._mask(why.get("message", "")),
            "nextStep": why.get("nextStep", ""),
            "since": since,
            "phases": list(self._phases.values()),
        }
        if not self.frozen:
            # A full disk is told by the console, and must not end the program that waits for room on it.
            with suppress(OSError):
                files.write_json(self._paths.status, self._status, 0o644, durable=status in LASTING)


def _why(trouble: Trouble) -> dict[str, str]:
    return {"reason": trouble.reason, "message": trouble.message, "nextStep": trouble.next_step}


def _earlier_phases(paths: Paths) -> dict[str, dict[str, Any]]:
    entries = files.read_json(paths.status).get("phases", [])
    return {str(entry["name"]): entry for entry in entries}


def show(console: Path, line: str) -> None:
    """Writes to the console, if there is one that takes a line."""
    # Opened for each line: the login prompt that starts meanwhile hangs up whoever has it open. A stopped
    # serial line must not stop the node, and the console must not become our terminal.
    with suppress(OSError):
        descriptor = os.open(console, os.O_WRONLY | os.O_APPEND | os.O_NOCTTY | os.O_NONBLOCK)
        with closing(os.fdopen(descriptor, "wb", buffering=0)) as file:
            file.write((line + "\n").encode())
