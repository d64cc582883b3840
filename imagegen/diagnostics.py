"""What is wrong with an input, where, and what to do about it."""

from __future__ import annotations

from enum import StrEnum

from imagegen.frozen import dataclass

Path = tuple[str | int, ...]


class Severity(StrEnum):
    """How bad a finding is; a report with an error stops the run."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Position:
    """A place in a file; line and column count from 1."""

    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One finding: `path` leads through the data to the value it is about, `position` to the place in a file.

    The path leads through the Image document that `image` names, or through the Cluster's. What is not `quotable` must
    not be shown again, not even as the line it stands in.
    """

    code: str
    message: str
    path: Path = ()
    image: str = ""
    hint: str | None = None
    severity: Severity = Severity.ERROR
    on_key: bool = False
    quotable: bool = True
    position: Position | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All findings of a run, and the text they point into, by file."""

    diagnostics: tuple[Diagnostic, ...] = ()
    sources: tuple[tuple[str, str], ...] = ()

    @property
    def failed(self) -> bool:
        return any(diagnostic.severity is Severity.ERROR for diagnostic in self.diagnostics)

    def followed_by(self, later: Report) -> Report:
        """Both reports in one."""
        return Report(diagnostics=self.diagnostics + later.diagnostics, sources=self.sources + later.sources)
