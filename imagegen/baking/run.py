"""Packer as a process."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path


def version_of(packer: str) -> tuple[int, ...]:
    """The version of a Packer; `FileNotFoundError` where there is none, `ValueError` for another program."""
    command = [packer, "version"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, timeout=60).stdout
    except subprocess.TimeoutExpired as error:
        raise ValueError("nothing, for a minute") from error
    found = re.search(r"Packer v(\d+(?:\.\d+)+)", said)
    if found is None:
        raise ValueError(said.strip()[:200])
    return tuple(int(part) for part in found[1].split("."))


def follow(command: tuple[str, ...], folder: Path, environment: Mapping[str, str], hear: Callable[[str], None]) -> int:
    """Run a command in a folder, and hear each of its lines; an interrupt is passed on, and its end awaited.

    Packer takes its machine down when it is interrupted; killed, it would leave it running.
    """
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    interrupted = False
    code: int | None = None
    with process:
        while code is None:
            try:
                for line in process.stdout or ():
                    hear(line.rstrip("\n"))
                code = process.wait()
            except KeyboardInterrupt:
                interrupted = True
                process.send_signal(signal.SIGINT)
    if interrupted:
        raise KeyboardInterrupt
    return code
