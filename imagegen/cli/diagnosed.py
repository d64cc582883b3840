"""A diagnosis, as text and as data."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import Any

from imagegen.console import say, table_lines
from imagegen.diagnosis import Diagnosis, Verdict
from imagegen.diagnosis.findings import Finding, Sure
from imagegen.diagnosis.story import Outcome

_WIDTH = 100
_INDENT = " " * 8
# A message holds up to 400 characters of kubeadm's.
_LONGEST_QUOTE = 500
# All roles there are: nothing is known then.
_ANY_ROLE = 3
_SURE = {
    Sure.CERTAIN: "certain: the log says it itself",
    Sure.LIKELY: "likely: this is its usual sign, and no more",
    Sure.OPEN: "of what, not of why; from here these look the same:",
}


def show_diagnosis(diagnosis: Diagnosis) -> None:
    """A block for each node, and what they say together."""
    for number, verdict in enumerate(diagnosis.verdicts):
        if number:
            say("")
        for line in _lines(verdict):
            say(line)
    if diagnosis.together:
        say("")
        say("together")
        for sentence in diagnosis.together:
            for line in _item(sentence, "  - "):
                say(line)


def diagnosis_as_data(diagnosis: Diagnosis) -> dict[str, Any]:
    """The same for a program."""
    return {
        "nodes": [_verdict_as_data(verdict) for verdict in diagnosis.verdicts],
        "together": list(diagnosis.together),
    }


def _verdict_as_data(verdict: Verdict) -> dict[str, Any]:
    story = verdict.story
    return {
        "name": verdict.name,
        "kind": str(verdict.kind),
        "machine": verdict.machine or None,
        "node": story.node or None,
        "address": story.address or None,
        "roles": list(story.roles),
        "boots": verdict.boots or None,
        "outcome": str(story.outcome),
        "wrong": verdict.wrong,
        "phase": story.phase or None,
        "reason": (story.trouble.reason or None) if story.trouble else None,
        "tries": story.tries,
        "phases": [
            {
                "name": step.name,
                "status": step.status,
                "seconds": step.seconds,
                "failedTries": step.tries,
                "reason": step.reason or None,
            }
            for step in story.steps
        ],
        "findings": [_finding_as_data(finding) for finding in verdict.findings],
    }


def _finding_as_data(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "title": finding.title,
        "sure": str(finding.sure),
        "causes": list(finding.causes),
        "nextStep": finding.next_step,
        "line": finding.line or None,
        "quote": finding.quote or None,
    }


def _lines(verdict: Verdict) -> Iterator[str]:
    yield f"{verdict.name}: {_headline(verdict)}"
    yield f"  {', '.join(_known(verdict))}"
    if verdict.story.steps:
        yield ""
        yield from (f"  {line}" for line in _timeline(verdict))
    if not verdict.findings:
        return
    first, *others = verdict.findings
    yield ""
    yield from _whole(first)
    for finding in others:
        # The same line was quoted above: what is left to say of it is what else to do.
        if not finding.line or finding.line != first.line:
            yield from _item(f"{_place(finding)}: {finding.title}", "  also  ")
            yield from _item(finding.next_step, _INDENT)
        else:
            yield from _item(f"{finding.code}: {finding.next_step}", "  also  ")


def _headline(verdict: Verdict) -> str:
    story = verdict.story
    if story.outcome is Outcome.DONE:
        if verdict.wrong:
            return "done, but the machine is not well"
        return "done, most likely" if story.guessed else "done"
    if story.outcome is Outcome.SILENT:
        return "first boot has said nothing"
    reason = f": {story.trouble.reason}" if story.trouble and story.trouble.reason else ""
    where = story.trouble.phase if story.trouble else story.phase
    if story.outcome is Outcome.RUNNING:
        place = "in" if story.within else "behind"
        return f"running, after a failed try of {where}{reason}" if story.trouble else f"running, {place} {where}"
    return f"{story.outcome} in {where}{reason}"


def _known(verdict: Verdict) -> Iterator[str]:
    story = verdict.story
    yield f"read as a {verdict.kind}"
    if verdict.boots > 1:
        yield f"the last of {verdict.boots} boots"
    if verdict.machine:
        yield f"machine {verdict.machine}"
    if story.node:
        yield f"node {story.node} at {story.address}"
    if 0 < len(story.roles) < _ANY_ROLE:
        yield " or ".join(story.roles)
    if story.awaited:
        yield f"the first is {story.awaited}"
    if story.tries > 1:
        yield f"{story.tries} tries of kubeadm"
    if story.starts > 1:
        yield f"first boot was started {story.starts} times"


def _timeline(verdict: Verdict) -> tuple[str, ...]:
    rows = [
        (step.name, step.status, f"{step.seconds:,.1f}", str(step.tries) if step.tries else "", step.reason)
        for step in verdict.story.steps
    ]
    return table_lines(("phase", "status", "seconds", "failed", "reason"), rows, right=("seconds", "failed"))


def _whole(finding: Finding) -> Iterator[str]:
    yield from _item(f"{finding.code}: {finding.title}", "  what  ")
    if finding.quote:
        place = f"line {finding.line}: " if finding.line else ""
        quote = finding.quote if len(finding.quote) <= _LONGEST_QUOTE else f"{finding.quote[:_LONGEST_QUOTE]}…"
        yield from _item(f"{place}{quote}", _INDENT)
    yield from _item(_SURE[finding.sure], "  sure  ")
    for cause in finding.causes:
        yield from _item(cause, f"{_INDENT}- ")
    yield from _item(finding.next_step, "  next  ")


def _place(finding: Finding) -> str:
    return f"line {finding.line}, {finding.code}" if finding.line else finding.code


def _item(text: str, head: str) -> list[str]:
    """The text folded, its first line behind a head."""
    return wrap(
        text,
        _WIDTH,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    ) or [head.rstrip()]
