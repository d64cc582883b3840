"""What several nodes say together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from imagegen.diagnosis.story import Outcome

if TYPE_CHECKING:
    from imagegen.diagnosis import Verdict

_INIT = "control-plane-init"
# What a node that joins waits with while there is no cluster yet, and while it has no way to it: it cannot tell.
_NO_ENDPOINT = {"closed", "refused", "timeout", "unreachable"}
_NOT_READY = {"http-status", "token-not-signed"}


def correlate(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """A sentence for each thing that no single log says."""
    first = [verdict for verdict in verdicts if verdict.story.roles == (_INIT,)]
    waiting = [verdict for verdict in verdicts if verdict not in first and _waits(verdict)]
    if waiting and not first:
        yield _without_the_first(waiting, [verdict for verdict in verdicts if _may_be_first(verdict, waiting)])
    for verdict in first if waiting else ():
        yield _for_the_first(verdict, waiting)
    yield from _started_twice(first)
    yield from _same_name(verdicts)
    yield from _same_reason([verdict for verdict in verdicts if verdict not in waiting])


def _waits(verdict: Verdict) -> bool:
    trouble = verdict.story.trouble
    stuck = verdict.story.outcome in {Outcome.WAITING, Outcome.RETRY}
    return stuck and trouble is not None and trouble.reason in _NO_ENDPOINT | _NOT_READY


def _may_be_first(verdict: Verdict, waiting: Sequence[Verdict]) -> bool:
    """A log that ends early, or begins late, does not show the role."""
    roles = verdict.story.roles
    return verdict not in waiting and (not roles or _INIT in roles)


def _without_the_first(waiting: Sequence[Verdict], candidates: Sequence[Verdict]) -> str:
    who = f"{_names(waiting)} {_wait(waiting)} for the endpoint ({_reasons(waiting)})"
    if candidates:
        return (
            f"{who}. Whether the node that starts the cluster is among {_names([*candidates, *waiting])}, these logs "
            "do not show: if it is one that has a trouble of its own, mend that one first."
        )
    return (
        f"{who}, and the log of the node that starts the cluster (control-plane-init) is not among these: give it as "
        "well, it may have the cause."
    )


def _for_the_first(first: Verdict, waiting: Sequence[Verdict]) -> str:
    who = f"{_names(waiting)} {_wait(waiting)} for the endpoint ({_reasons(waiting)})"
    story = first.story
    if story.outcome is Outcome.DONE:
        reasons = {verdict.story.trouble.reason for verdict in waiting if verdict.story.trouble}
        way = "the endpoint's address, its balancer, and firewalls" if reasons & _NO_ENDPOINT else ""
        inside = "the tokens: of the same secrets bundle, and not expired" if reasons & _NOT_READY else ""
        return (
            f"{who}, and {first.name} has started the cluster. If these logs are of the same time, look at "
            f"{'; '.join(filter(None, (way, inside)))}."
        )
    if story.trouble is not None:
        state = "its last try failed" if story.outcome is Outcome.RUNNING else story.outcome
        return (
            f"{who}, and the node that starts the cluster, {first.name}, stands at {story.trouble.phase}: "
            f"{state}, {story.trouble.reason}. Mend that one first: the others may then go on by themselves."
        )
    return f"{who}. That is usual for as long as the node that starts the cluster, {first.name}, is not done."


def _started_twice(first: Sequence[Verdict]) -> Iterator[str]:
    started = [
        verdict
        for verdict in first
        if any(step.name == "kubeadm-init" and step.status == "ok" for step in verdict.story.steps)
    ]
    if len(started) > 1:
        yield (
            f"{_names(started)} have each started a cluster. If they are meant as one, they are two now: keep one, and "
            "give the others the user-data of control-plane-join and new disks."
        )


def _steps(verdict: Verdict) -> Iterator[tuple[str, str]]:
    return ((step.name, step.status) for step in verdict.story.steps)


def _same_name(verdicts: Sequence[Verdict]) -> Iterator[str]:
    held: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.story.node:
            held[verdict.story.node].append(verdict)
    for node, holders in held.items():
        if len({verdict.story.address for verdict in holders}) > 1:
            yield (
                f"{_names(holders)} are called {node} at different addresses: if these are two machines, give them "
                "names of their own (nodeName in the spec)."
            )


def _same_reason(verdicts: Sequence[Verdict]) -> Iterator[str]:
    held: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.wrong and verdict.findings:
            held[verdict.findings[0].code].append(verdict)
    for code, holders in held.items():
        if len(holders) > 1:
            yield f"{_names(holders)} have the same trouble ({code}): look for what they share."


def _names(verdicts: Sequence[Verdict]) -> str:
    names = [verdict.name for verdict in verdicts]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _wait(verdicts: Sequence[Verdict]) -> str:
    return "waits" if len(verdicts) == 1 else "wait"


def _reasons(verdicts: Sequence[Verdict]) -> str:
    found = (verdict.story.trouble.reason for verdict in verdicts if verdict.story.trouble)
    return ", ".join(dict.fromkeys(found))
