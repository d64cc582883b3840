"""What `diagnose` makes of files, in a test's hands."""

from __future__ import annotations

from imagegen import assets
from imagegen.diagnosis import Diagnosis, Verdict, diagnose
from imagegen.diagnosis.findings import Knowledge

KNOWN = Knowledge(tables=assets.catalog().symptoms, next_steps=assets.next_steps(), mask=assets.masker())
PHASES = assets.phases()


def diagnosed(**files: bytes) -> Diagnosis:
    """Several nodes, by name."""
    return diagnose(files.items(), PHASES, KNOWN)


def verdict(content: bytes) -> Verdict:
    """One node."""
    (found,) = diagnosed(node=content).verdicts
    return found


def codes(content: bytes) -> list[str]:
    """What is found, the most telling first."""
    return [finding.code for finding in verdict(content).findings]
