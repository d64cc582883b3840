"""Runs other programs: bounded in time, their output without secrets."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from bootstrap import files
from bootstrap.masking import Masker
from bootstrap.paths import Paths
from bootstrap.report import Report

NOT_FOUND, NOT_STARTED, TIMED_OUT = 127, 126, 124
GRACE = 10.0
QUESTION_LIMIT = 30.0
LOG_BYTES = 1 << 20


class Result(NamedTuple):
    """How a program ended."""

    code: int
    out: str
    err: str = ""


class Tools:
    """The programs of the node; `kept` is inherited by the long-running ones."""

    def __init__(self, paths: Paths, mask: Masker, report: Report) -> None:
        self._paths, self._mask, self._report = paths, mask, report
        self.kept: tuple[int, ...] = ()

    def ask(self, *command: str, given: str | None = None) -> Result:
        """Runs a quick question, whose answer nobody else needs to see; `given` is what it can read."""
        try:
            ended = subprocess.run(
                command,
                input=given,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=QUESTION_LIMIT,
                check=False,
            )
        except FileNotFoundError:
            return Result(NOT_FOUND, "", f"{command[0]} is not installed")
        except subprocess.TimeoutExpired:
            return Result(TIMED_OUT, "", f"{command[0]} did not end within {QUESTION_LIMIT:.0f} s")
        return Result(ended.returncode, ended.stdout, self._mask(ended.stderr))

    def perform(self, *command: str, log: str, limit: float, environment: Mapping[str, str] | None = None) -> Result:
        """Runs a long work; its masked output goes to the journal and to /var/log/imagegen/<log>.log."""
        self._report.relay(f"+ {' '.join(command)}")
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
                pass_fds=self.kept,
                env={**os.environ, **(environment or {})},
            )
        except FileNotFoundError:
            return Result(NOT_FOUND, f"{command[0]} is not installed")
        except OSError as error:
            return Result(NOT_STARTED, f"{command[0]}: {error.strerror}")
        watch = _Watch(process, limit)
        with process, watch:
            output = self._follow(process, log)
        return Result(TIMED_OUT if watch.expired else process.returncode, output)

    def _follow(self, process: subprocess.Popen[str], log: str) -> str:
        lines = []
        with closing(_open_log(self._paths.logs, log)) as file:
            for line in process.stdout or ():
                masked = self._mask(line.rstrip("\n"))
                lines.append(masked)
                file.write((masked + "\n").encode())
                self._report.relay(masked)
        return "\n".join(lines)


class _Watch:
    """Ends a process group that takes too long."""

    def __init__(self, process: subprocess.Popen[str], limit: float) -> None:
        self._process = process
        self.expired = False
        self._timers = [threading.Timer(limit, self._end), threading.Timer(limit + GRACE, self._kill)]

    def __enter__(self) -> None:
        for timer in self._timers:
            timer.daemon = True
            timer.start()

    def __exit__(self, *_: object) -> None:
        # The output may be at its end while the process is not.
        self._process.wait()
        for timer in self._timers:
            timer.cancel()

    def _end(self) -> None:
        self.expired = True
        self._signal(signal.SIGTERM)

    def _kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def _open_log(folder: Path, name: str) -> _Log:
    files.private_folder(folder)
    path = folder / f"{name}.log"
    # A node that tries for weeks must not fill its disk.
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return _Log(path)


class _Log:
    """A log that only root may read, and that is whole up to the last line."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def close(self) -> None:
        os.close(self._descriptor)

    def write(self, content: bytes) -> None:
        os.write(self._descriptor, content)
