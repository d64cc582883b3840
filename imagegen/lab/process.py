"""Running programs, with a failure that shows what they said."""

import subprocess


class LabError(RuntimeError):
    """A machine, or what it stands on, did not do what it was asked."""


def run(
    *command: str, timeout: float = 120, check: bool = True, given: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; with `check`, its failure is an error that quotes it."""
    try:
        done = subprocess.run(
            command,
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as slow:
        raise LabError(f"no end after {timeout:g} s: {' '.join(command)}\n{_heard(slow)}") from slow
    if check and done.returncode != 0:
        said = (done.stdout + done.stderr).strip()
        raise LabError(f"exit code {done.returncode}: {' '.join(command)}\n{said}")
    return done


def _heard(slow: subprocess.TimeoutExpired) -> str:
    parts: tuple[bytes | str | None, ...] = (slow.stdout, slow.stderr)
    return "".join(part.decode(errors="replace") if isinstance(part, bytes) else part or "" for part in parts)
