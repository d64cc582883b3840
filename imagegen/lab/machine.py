"""What every ground offers: a machine to start, to look into and to hurt."""

from pathlib import Path
from subprocess import CompletedProcess
from typing import Protocol


class Machine(Protocol):
    """One machine that boots from a disk of its own and has one network card."""

    @property
    def name(self) -> str: ...

    @property
    def log(self) -> Path:
        """The file with everything that it has printed on its console since it was made."""

    @property
    def is_running(self) -> bool:
        """Whether it is switched on."""

    def start(self) -> None:
        """Switch it on; returns while it boots."""

    def shell(self, command: str, *, timeout: float = 60, check: bool = True) -> CompletedProcess[str]:
        """Run a shell command in the machine as root."""

    def power_cut(self) -> None:
        """Take its power away: nothing in it gets a word."""

    def cut_network(self) -> None:
        """Let no packet through, while its card still shows a carrier."""

    def restore_network(self) -> None: ...

    def console(self) -> str:
        """Everything that it has printed on its console since it was made."""

    def stop(self) -> None:
        """Shut it down in order; its power is cut when it takes too long."""
