"""How far first boot came on one machine, told from its lines or from its status.json."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from imagegen.catalog.firstboot import PhaseFacts
from imagegen.diagnosis.events import MARK, Event, Mask, events_of
from imagegen.diagnosis.reading import Boot, Line, Log

_INIT, _JOIN, _DONE, _WIPE = "control-plane-init", "control-plane-join", "done", "wipe"
# User-data of all control planes: the machine is one of the two as soon as it has settled.
_SHARED = "control-plane"
_TRY = re.compile(r"try (\d+)\b")
# With shared user-data, it says as well what has become of the machine (bootstrap/roles.py).
_SETTLED = re.compile(
    r"(?P<node>[a-z0-9.-]+), address (?P<address>[^\s;]+(?:, [^\s;]+)*)"
    r"(?:; (?P<role>the first|joins the first) control plane(?:, (?P<awaited>.+))?)?"
)


class Outcome(StrEnum):
    """Where first boot is when the log ends."""

    DONE = "done"
    FAILED = "failed for good"
    RETRY = "trying again"
    WAITING = "waiting"
    RUNNING = "running"
    SILENT = "nothing said"


_OUTCOMES = {"failed": Outcome.FAILED, "retry": Outcome.RETRY, "waiting": Outcome.WAITING, "ok": Outcome.RUNNING}
_STUCK = {Outcome.FAILED, Outcome.RETRY, Outcome.WAITING}
_MOST = 1e9
_OF_STATUS = _OUTCOMES | {"running": Outcome.RUNNING, "done": Outcome.DONE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A phase of the timeline; `tries`: how many of it failed."""

    name: str
    status: str
    seconds: float
    tries: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What stands in the way, in the node's words; `since`: what else the log has of that try."""

    phase: str
    reason: str
    message: str
    next_step: str = ""
    line: Line | None = None
    since: Boot = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The story of one node.

    `within`: it is at work in this phase, not behind it; `silent`: the lines of a later boot, in which first boot says
    nothing; `shared`: its user-data is that of all control planes; `awaited`: the name or address of the first of them.
    """

    outcome: Outcome
    phase: str = ""
    within: bool = False
    roles: tuple[str, ...] = ()
    node: str = ""
    address: str = ""
    shared: bool = False
    awaited: str = ""
    tries: int = 0
    starts: int = 0
    steps: tuple[Step, ...] = ()
    trouble: Trouble | None = None
    guessed: bool = False
    silent: Boot = ()


def tell(log: Log, phases: Sequence[PhaseFacts], mask: Mask) -> Story:
    """The story in a log or a status."""
    if log.status is not None:
        return _of_status(log.status, mask)
    told = [tuple(events_of(boot, mask)) for boot in log.boots]
    spoken = [number for number, events in enumerate(told) if events]
    if not spoken:
        return Story(outcome=Outcome.SILENT)
    last = spoken[-1]
    events, boot = told[last], log.boots[last]
    was_done = any(_is_done(event) for earlier in told[:last] for event in earlier)
    outcome, guessed = _outcome(events, boot, was_done=was_done)
    settled = _settled([event for boot_events in told for event in boot_events])
    return Story(
        outcome=outcome,
        phase=events[-1].name,
        roles=_told_role(settled) or _roles(events, phases),
        node=settled["node"] if settled else "",
        address=settled["address"] if settled else "",
        shared=bool(_told_role(settled)),
        awaited=(settled["awaited"] or "") if settled else "",
        tries=_tries(events),
        starts=max(1, sum(1 for event in events if event.phase == _WIPE)),
        steps=_steps(events),
        trouble=None if outcome is Outcome.DONE else _trouble(events, boot),
        guessed=guessed,
        silent=log.boots[-1] if last < len(log.boots) - 1 else (),
    )


def _is_done(event: Event) -> bool:
    return event.phase == _DONE and event.status == "ok"


def _outcome(events: Sequence[Event], boot: Boot, *, was_done: bool) -> tuple[Outcome, bool]:
    """And whether that is a guess."""
    if any(_is_done(event) for event in events):
        return Outcome.DONE, False
    # A node that is done wipes on each boot, and says nothing more. It may as well have been cut off right there.
    if {event.phase for event in events} == {_WIPE}:
        goes_on = any(MARK not in line.text for line in boot[events[-1].index + 1 :])
        return (Outcome.DONE, not was_done) if was_done or goes_on else (Outcome.RUNNING, False)
    return _OUTCOMES[events[-1].status], False


def _trouble(events: Sequence[Event], boot: Boot) -> Trouble | None:
    """The last thing that went wrong and was not made good by the same phase later."""
    mended: set[str] = set()
    for event in reversed(events):
        if event.status == "ok":
            mended.add(event.name)
        elif event.name not in mended:
            before = max((other.index for other in events if other.index < event.index), default=0)
            return Trouble(
                phase=event.name,
                reason=event.reason,
                message=event.message,
                line=event.line,
                since=boot[before : event.index],
            )
    return None


def _steps(events: Sequence[Event]) -> tuple[Step, ...]:
    steps: dict[str, Step] = {}
    for event in events:
        before = steps.get(event.name)
        steps[event.name] = Step(
            name=event.name,
            status=event.status,
            seconds=event.seconds,
            tries=(before.tries if before else 0) + (event.status == "retry"),
            reason=event.reason,
        )
    return tuple(steps.values())


def _roles(events: Sequence[Event], phases: Sequence[PhaseFacts]) -> tuple[str, ...]:
    """Every role that such lines may come from."""
    seen = {event.phase for event in events}
    roles = {role for phase in phases for role in phase.roles}
    for phase in phases:
        if phase.name in seen:
            roles &= phase.roles
    # The first node looks at the endpoint before it joins anything; a log that is cut at the front does not show that.
    joins = {phase.name for phase in phases if phase.modes == {"join"}}
    if _WIPE in seen and "guard" not in seen and seen & joins:
        roles -= {_INIT}
    return tuple(sorted(roles))


def _settled(events: Sequence[Event]) -> re.Match[str] | None:
    """What the machine last said of itself."""
    found = [match for event in events if event.phase == "settle" and (match := _SETTLED.fullmatch(event.message))]
    return found[-1] if found else None


def _told_role(settled: re.Match[str] | None) -> tuple[str, ...]:
    """With shared user-data, the role is told."""
    what = settled["role"] if settled else None
    return () if not what else (_INIT,) if what == "the first" else (_JOIN,)


def _tries(events: Sequence[Event]) -> int:
    """The runs of kubeadm that are known of."""
    named = [int(match[1]) for event in events if (match := _TRY.match(event.message))]
    ended = sum(event.phase.startswith("kubeadm-") and event.status in {"ok", "retry", "failed"} for event in events)
    return max([*named, ended])


def _of_status(status: Mapping[str, Any], mask: Mask) -> Story:
    reason, phase, role = _word(status, "reason"), _word(status, "phase"), _word(status, "role")
    steps = tuple(_recorded(entry, phase, reason) for entry in status["phases"] if isinstance(entry, dict))
    current = [step.status for step in steps if step.name.partition("/")[0] == phase]
    outcome = _OF_STATUS.get(_word(status, "status"), Outcome.RUNNING)
    # What waits for its next try is recorded as waiting; the loader of an install records no phases.
    if outcome is Outcome.WAITING and current[-1:] in (["retry"], []):
        outcome = Outcome.RETRY
    trouble = Trouble(
        phase=phase, reason=reason, message=mask(_word(status, "message")), next_step=mask(_word(status, "nextStep"))
    )
    return Story(
        outcome=outcome,
        phase=phase,
        within=_word(status, "status") == "running",
        roles=(_INIT, _JOIN) if role == _SHARED else (role,) if role else (),
        shared=role == _SHARED,
        tries=int(_figure(status.get("tries"))),
        starts=1,
        steps=steps,
        trouble=trouble if reason and outcome in _STUCK else None,
    )


def _recorded(entry: Mapping[str, Any], phase: str, reason: str) -> Step:
    name = _word(entry, "name")
    return Step(
        name=name,
        status=_word(entry, "status"),
        seconds=_figure(entry.get("seconds")),
        tries=0,
        reason=reason if name.partition("/")[0] == phase else "",
    )


def _word(data: Mapping[str, Any], key: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) else ""


def _figure(value: Any) -> float:
    """Seconds or tries, as far as they are such."""
    return float(value) if isinstance(value, int | float) and 0 <= value <= _MOST else 0.0
