"""The program as a shell starts it: with its own streams, signals and exit code."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from imagegen.__main__ import main

PROGRAM = (sys.executable, "-m", "imagegen")
ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80"}
# The kernel lets root read everything; a test of permissions runs without that right.
WITHOUT_PRIVILEGE = (
    "setpriv",
    "--bounding-set=-dac_override,-dac_read_search",
    "--inh-caps=-dac_override,-dac_read_search",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended."""

    code: int
    stdout: str
    stderr: str


def start(*arguments: str | Path, wrapper: tuple[str, ...] = (), **settings: object) -> subprocess.Popen[str]:
    """The program in a process of its own, with pipes where `settings` say nothing else."""
    pipes: dict[str, object] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    command = [*(wrapper if os.geteuid() == 0 else ()), *PROGRAM, *(str(argument) for argument in arguments)]
    return subprocess.Popen(command, text=True, **({"env": ENVIRONMENT} | pipes | settings))  # type: ignore[call-overload, no-any-return]


def children(process: subprocess.Popen[str]) -> dict[int, str]:
    """The command lines of the processes that it has started, and that still are, by their ids."""
    listed = subprocess.run(["ps", "-ww", "-eo", "ppid=,pid=,args="], check=True, capture_output=True, text=True).stdout
    found = (line.split(maxsplit=2) for line in listed.splitlines())
    return {int(own): args for parent, own, args in found if int(parent) == process.pid}


def run_alone(*arguments: str | Path, wrapper: tuple[str, ...] = (), **settings: object) -> Outcome:
    """The program, to its end."""
    with start(*arguments, wrapper=wrapper, **settings) as process:
        stdout, stderr = process.communicate(timeout=60)
    return Outcome(code=process.returncode, stdout=stdout or "", stderr=stderr or "")


def run_forked(*arguments: str | Path, stdout: Path | int | None = None) -> Outcome:
    """The same in a copy of this process: `main` and its streams are real, what is slow to import is there already."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            _become([str(argument) for argument in arguments], stdout, out, err)
        _, status = os.waitpid(child, 0)
        return Outcome(code=os.waitstatus_to_exitcode(status), stdout=_content(out), stderr=_content(err))


def _become(arguments: list[str], stdout: Path | int | None, out: BinaryIO, err: BinaryIO) -> None:
    code = 70
    try:
        target = os.open(stdout, os.O_WRONLY) if isinstance(stdout, Path) else stdout or out.fileno()
        for source, descriptor in ((os.open(os.devnull, os.O_RDONLY), 0), (target, 1), (err.fileno(), 2)):
            os.dup2(source, descriptor)
        sys.argv = ["imagegen", *arguments]
        main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1 if end.code else 0
    except BaseException:  # noqa: BLE001  the child must end here, whatever happened
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(code)


def _content(stream: BinaryIO) -> str:
    stream.seek(0)
    return stream.read().decode()


def read_terminal(descriptor: int) -> bytes:
    """All that was written on the other side of a terminal, which is closed."""
    written = b""
    # Linux ends it with an error (EIO), not with an end of file.
    with suppress(OSError):
        while chunk := os.read(descriptor, 4096):
            written += chunk
    return written
