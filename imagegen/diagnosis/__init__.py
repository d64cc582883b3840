"""What nodes left is read, and says what went wrong, why, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from imagegen.catalog.firstboot import PhaseFacts
from imagegen.diagnosis.findings import Finding, Knowledge, find
from imagegen.diagnosis.reading import Kind, read_log
from imagegen.diagnosis.story import Outcome, Story, tell
from imagegen.diagnosis.together import correlate


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is to say of one node; `machine`: what the cloud calls it."""

    name: str
    kind: Kind
    machine: str
    boots: int
    story: Story
    findings: tuple[Finding, ...]

    @property
    def wrong(self) -> bool:
        """Whether it is not done, or not well."""
        return self.story.outcome is not Outcome.DONE or any(finding.grave for finding in self.findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """All nodes, and what they say together."""

    verdicts: tuple[Verdict, ...]
    together: tuple[str, ...]


def diagnose(files: Iterable[tuple[str, bytes]], phases: Sequence[PhaseFacts], known: Knowledge) -> Diagnosis:
    """Each file is what one node left, by its name."""
    verdicts = tuple(_judge(name, data, phases, known) for name, data in files)
    return Diagnosis(verdicts=verdicts, together=tuple(correlate(verdicts)) if len(verdicts) > 1 else ())


def _judge(name: str, data: bytes, phases: Sequence[PhaseFacts], known: Knowledge) -> Verdict:
    log = read_log(name, data, known.tables)
    story = tell(log, phases, known.mask)
    return Verdict(
        name=name,
        kind=log.kind,
        machine=log.identity,
        boots=len(log.boots),
        story=story,
        findings=find(log, story, known),
    )
