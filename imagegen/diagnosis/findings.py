"""What is wrong on one node, and how sure that is."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate, islice

from imagegen.catalog.symptoms import MomentFacts, Place, SymptomFacts, SymptomTables
from imagegen.diagnosis.events import MARK, Mask
from imagegen.diagnosis.reading import Boot, Line, Log
from imagegen.diagnosis.story import Outcome, Story, Trouble

_KUBEADM = "kubeadm-"
# A full disk says so thousands of times; the first place is what is told.
_MOST_SIGNS = 100
# In the journal of a whole machine, these complain of much that is no trouble while kubeadm is at work.
_OTHERS = re.compile(r"\b(?:kubelet|containerd|systemd|kernel)(?:\[\d*\])?: ")


class Sure(StrEnum):
    """How far a finding can be trusted."""

    CERTAIN = "certain"
    LIKELY = "likely"
    OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a log shows, and what to do next; `causes`: each of them would look the same."""

    code: str
    title: str
    sure: Sure
    next_step: str
    causes: tuple[str, ...] = ()
    line: int = 0
    quote: str = ""
    grave: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What is known of first boot and of logs; `next_steps` are the node's own words."""

    tables: SymptomTables
    next_steps: Mapping[str, str]
    mask: Mask


def find(log: Log, story: Story, known: Knowledge) -> tuple[Finding, ...]:
    """Everything that there is to say, the most telling first."""
    last = story.silent or (log.boots[-1] if log.boots else ())
    of_console = tuple(_in_console(last, known))
    grave = [finding for finding in of_console if finding.grave]
    if story.outcome is Outcome.DONE:
        return (*grave, *_moment(story, known, "done-before" if story.guessed else ""))
    others = [finding for finding in of_console if not finding.grave]
    # How far the boot came explains nothing where something else does.
    explained = story.outcome is Outcome.SILENT and any(finding.sure is not Sure.LIKELY for finding in of_console)
    absence = () if explained else _of_absence(last, story, known)
    return (*grave, *_of_trouble(story, known), *others, *absence)


def _of_trouble(story: Story, known: Knowledge) -> Iterator[Finding]:
    trouble = story.trouble
    if trouble is None:
        return
    if trouble.phase.startswith(_KUBEADM):
        yield from _in_kubeadm(trouble, known)
    facts = known.tables.reasons.get(trouble.reason)
    next_step = known.next_steps.get(trouble.reason, trouble.next_step)
    yield Finding(
        code=trouble.reason or "unnamed",
        title=facts.meaning if facts else "another version of imagegen says so, or the line is cut off",
        sure=Sure.OPEN if not facts or facts.causes else Sure.CERTAIN,
        causes=facts.causes if facts else (),
        next_step=next_step or "See docs/first-boot.md of that version.",
        line=trouble.line.number if trouble.line else 0,
        # The last line of a node that gives up has both.
        quote=trouble.message.removesuffix(f". {next_step}"),
    )


def _in_kubeadm(trouble: Trouble, known: Knowledge) -> Iterator[Finding]:
    """From its last words; if these say nothing, from all that it said in that try."""
    own = Line(number=trouble.line.number if trouble.line else 0, text=trouble.message)
    said = tuple(line for line in trouble.since if MARK not in line.text and not _OTHERS.search(line.text))
    symptoms = [facts for facts in known.tables.symptoms if facts.place is Place.KUBEADM]
    precise = [facts for facts in symptoms if not facts.vague]
    vague = [facts for facts in symptoms if facts.vague]
    for lines, wanted in (((own,), precise), (said, precise), ((own,), vague), (said, vague)):
        if found := tuple(_matches(lines, wanted, known.mask)):
            # What the node itself has understood is told as its reason.
            yield from (finding for finding in found if finding.code != trouble.reason)
            return


def _in_console(boot: Boot, known: Knowledge) -> Iterator[Finding]:
    symptoms = [facts for facts in known.tables.symptoms if facts.place is Place.CONSOLE]
    foreign = tuple(line for line in boot if MARK not in line.text)
    # What first boot quotes is told by its reasons already, but for what is wrong with the machine as a whole.
    yield from _matches(boot, [facts for facts in symptoms if facts.grave], known.mask)
    yield from _matches(foreign, [facts for facts in symptoms if not facts.grave], known.mask)


def _matches(lines: Boot, symptoms: Iterable[SymptomFacts], mask: Mask) -> Iterator[Finding]:
    """The first place of each; words that one has claimed are no sign of another."""
    text = "\n".join(line.text for line in lines)
    starts = list(accumulate((len(line.text) + 1 for line in lines), initial=0))
    claimed: list[tuple[int, int]] = []
    for facts in symptoms:
        spans = [match.span() for match in islice(facts.sign.finditer(text), _MOST_SIGNS)]
        own = [span for span in spans if not any(start < span[1] and span[0] < end for start, end in claimed)]
        claimed += own
        if own:
            line = lines[bisect_right(starts, own[0][0]) - 1]
            yield Finding(
                code=facts.code,
                title=facts.title,
                sure=Sure.LIKELY if facts.likely else Sure.OPEN if facts.causes else Sure.CERTAIN,
                causes=facts.causes,
                next_step=facts.next,
                line=line.number,
                quote=mask(line.text),
                grave=facts.grave,
            )


def _of_absence(last: Boot, story: Story, known: Knowledge) -> Iterator[Finding]:
    """What it means that first boot says nothing, or nothing more."""
    if story.outcome is Outcome.SILENT:
        text = "\n".join(line.text for line in last)
        reached = [stage.moment for stage in known.tables.stages if stage.sign.search(text)]
        yield _as_finding(reached[-1])
    elif story.silent:
        yield from _moment(story, known, "rebooted")
    elif story.outcome is Outcome.RUNNING:
        yield from _moment(story, known, "running")


def _moment(story: Story, known: Knowledge, code: str) -> Iterator[Finding]:
    if code:
        finding = _as_finding(known.tables.moments[code])
        yield finding if code != "running" else _with_phase(finding, story)


def _with_phase(finding: Finding, story: Story) -> Finding:
    return Finding(
        code=finding.code,
        title=f"{finding.title}, {'in' if story.within else 'behind'} `{story.phase}`",
        sure=finding.sure,
        causes=finding.causes,
        next_step=finding.next_step,
    )


def _as_finding(moment: MomentFacts) -> Finding:
    return Finding(
        code=moment.code,
        title=moment.title,
        sure=Sure.OPEN if moment.causes else Sure.LIKELY,
        causes=moment.causes,
        next_step=moment.next,
    )
