"""What is seen of a machine while it boots: its console read as `imagegen diagnose` reads it, in one line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from imagegen.booting.lineup import Member
from imagegen.catalog.firstboot import PhaseFacts
from imagegen.diagnosis.findings import Knowledge
from imagegen.diagnosis.reading import read_log
from imagegen.diagnosis.story import Outcome, Story, tell
from imagegen.plan import RoleKind

_LONGEST = 160
_WORDS = {Outcome.RETRY: "failed, is tried again", Outcome.FAILED: "failed for good"}


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How far a machine is, in words; `node`: what it is called then; `over`: it will go no further by itself."""

    phase: str
    status: str
    reason: str = ""
    node: str = ""
    joined: bool = False
    over: bool = False


OFF = View(phase="power", status="off")
GONE = View(phase="power", status="the machine has ended by itself", over=True)


def view(member: Member, console: bytes, phases: Sequence[PhaseFacts], known: Knowledge) -> View:
    """What a console says of its machine now."""
    story = tell(read_log(member.name, console, known.tables), phases, known.mask)
    if story.outcome is Outcome.SILENT:
        return View(phase="boot", status="running")
    if story.outcome is Outcome.DONE:
        return View(phase="done", status="joined, not Ready yet", node=story.node, joined=True)
    if story.outcome is Outcome.RUNNING:
        return View(phase=_at_work(story, member, phases), status="running")
    trouble = story.trouble
    if trouble is None:
        return View(phase=story.phase, status=str(story.outcome))
    facts = known.tables.reasons.get(trouble.reason)
    # Of a failed try the node's own words say more than what such a reason means in general.
    told = facts.meaning if facts and story.outcome is Outcome.WAITING else trouble.message
    words = f"{trouble.reason}: {told}"[:_LONGEST]
    return View(
        phase=trouble.phase,
        status=_WORDS.get(story.outcome, str(story.outcome)),
        # A node's message may hold anything, also what a terminal obeys.
        reason="".join(letter if letter.isprintable() else "\ufffd" for letter in words),
        over=story.outcome is Outcome.FAILED,
    )


def _at_work(story: Story, member: Member, phases: Sequence[PhaseFacts]) -> str:
    """The phase behind the last one that is said to be over: a phase says nothing when it begins."""
    last = story.phase
    if "/" in last:
        return last
    modes = _modes(story, member)
    names = [phase.name for phase in phases if phase.modes & modes and not (phase.hooks or phase.setting)]
    if last not in names:
        return f"behind {last}"
    after = [phase for phase in phases if phase.name in names[names.index(last) + 1 :] and _has(member, phase)]
    return after[0].name if after else last


def _modes(story: Story, member: Member) -> frozenset[str]:
    """Whether it starts the cluster or joins it; with shared user-data it says so itself."""
    joins = any(step.name in {"endpoint", "turn", "kubeadm-join"} for step in story.steps)
    told = story.roles == (RoleKind.CONTROL_PLANE_INIT,) and member.kind is RoleKind.CONTROL_PLANE
    first = told or member.kind is RoleKind.CONTROL_PLANE_INIT
    return frozenset({"init"}) if first and not joins else frozenset({"join"})


def _has(member: Member, phase: PhaseFacts) -> bool:
    return member.kind in phase.roles or member.kind is RoleKind.CONTROL_PLANE
