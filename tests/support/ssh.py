"""SSH to machines that are made for one test: nobody keeps their keys."""

from pathlib import Path

_OPTIONS = (
    "BatchMode=yes",
    "ConnectTimeout=20",
    "LogLevel=ERROR",
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
)


def command(user: str, host: str, key: Path, *, port: int = 22) -> list[str]:
    """What goes before a command that is to run there."""
    options = [word for option in _OPTIONS for word in ("-o", option)]
    return ["ssh", *options, "-i", str(key), "-p", str(port), f"{user}@{host}"]
