"""What several nodes say together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from imagegen.diagnosis.story import Outcome

if TYPE_CHECKING:
    from imagegen.diagnosis import Verdict

_STUCK = {Outcome.WAITING, Outcome.RETRY}
_INIT, _WORKER = "control-plane-init", "worker"
# What a node that joins waits with while there is no cluster yet, and while it has no way to it: it cannot tell.
_NO_ENDPOINT = {"closed", "refused", "timeout", "unreachable"}
_NOT_READY = {"http-status", "token-not-signed"}
# What control planes wait with for each other, and what they find where one of them is not well.
_IN_THE_ROW = {"turn", "etcd-learner"}
_ETCD_NOT_WELL = {"etcd-unhealthy", "etcd-silent", "etcd-member-stays"}


def correlate(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """A sentence for each thing that no single log says."""
    first = [verdict for verdict in verdicts if verdict.story.roles == (_INIT,)]
    waiting = [verdict for verdict in verdicts if verdict not in first and _stuck(verdict, _NO_ENDPOINT | _NOT_READY)]
    if waiting and not first:
        yield _without_the_first(waiting, [verdict for verdict in verdicts if _may_be_first(verdict, waiting)])
    for verdict in first if waiting else ():
        yield _for_the_first(verdict, waiting)
    yield from _started_twice(first)
    yield from _same_name(verdicts)
    in_the_row = [verdict for verdict in verdicts if _stuck(verdict, _IN_THE_ROW)]
    yield from _of_etcd(verdicts, in_the_row)
    yield from _same_reason([verdict for verdict in verdicts if verdict not in [*waiting, *in_the_row]])


def _stuck(verdict: Verdict, reasons: set[str]) -> bool:
    trouble = verdict.story.trouble
    return verdict.story.outcome in _STUCK and trouble is not None and trouble.reason in reasons


def _may_be_first(verdict: Verdict, waiting: Sequence[Verdict]) -> bool:
    """A log that ends early, or begins late, does not show the role."""
    roles = verdict.story.roles
    return verdict not in waiting and (not roles or _INIT in roles)


def _without_the_first(waiting: Sequence[Verdict], candidates: Sequence[Verdict]) -> str:
    who = f"{_names(waiting)} {_wait(waiting)} for the endpoint ({_reasons(waiting)})"
    first = " or ".join(dict.fromkeys(verdict.story.awaited for verdict in waiting if verdict.story.awaited))
    if candidates:
        told = f", {first}," if first else ""
        return (
            f"{who}. Whether the node that starts the cluster{told} is among {_names([*candidates, *waiting])}, these "
            "logs do not show: if it is one that has a trouble of its own, mend that one first."
        )
    if first:
        return (
            f"{who}, and the log of the node that starts the cluster, {first}, is not among these: give it as well, it "
            "may have the cause. If no machine has that name or address, nobody starts the cluster: correct `nodes` or "
            "`controlPlane.firstNode` in the spec."
        )
    return (
        f"{who}, and the log of the node that starts the cluster (control-plane-init) is not among these: give it as "
        "well, it may have the cause."
    )


def _for_the_first(first: Verdict, waiting: Sequence[Verdict]) -> str:
    who = f"{_names(waiting)} {_wait(waiting)} for the endpoint ({_reasons(waiting)})"
    story = first.story
    # Its guard has found the cluster, and made it one of those that join.
    found = any(step.name == "endpoint" for step in story.steps)
    if found or story.outcome is Outcome.DONE:
        reasons = {verdict.story.trouble.reason for verdict in waiting if verdict.story.trouble}
        way = "the endpoint's address, its balancer, and firewalls" if reasons & _NO_ENDPOINT else ""
        inside = "the tokens: of the same secrets bundle, and not expired" if reasons & _NOT_READY else ""
        return (
            f"{who}, and {first.name} has {'found' if found else 'started'} the cluster. If these logs are of the same "
            f"time, look at {'; '.join(filter(None, (way, inside)))}."
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
        shared = any(verdict.story.shared for verdict in started)
        others = "names and addresses other than the first node's" if shared else "the user-data of control-plane-join"
        yield (
            f"{_names(started)} have each started a cluster. If they are meant as one, they are two now: keep one, and "
            f"give the others {others} and new disks."
        )


def _of_etcd(verdicts: Sequence[Verdict], in_the_row: Sequence[Verdict]) -> Iterator[str]:
    """Control planes are members of one etcd: one that stands still may hold up the others."""
    planes = [verdict for verdict in verdicts if verdict.story.roles and _WORKER not in verdict.story.roles]
    held_up = [verdict for verdict in planes if _stuck(verdict, _IN_THE_ROW | _ETCD_NOT_WELL)]
    suspects = [_state(verdict) for verdict in planes if verdict not in held_up and _may_ail_etcd(verdict)]
    if held_up and suspects:
        yield (
            f"{_names(held_up)} {_wait(held_up)} for etcd ({_reasons(held_up)}), and {', '.join(suspects)}. What such "
            "a control plane is, or has left, in etcd may be in the way: mend it first."
        )
    elif len(in_the_row) > 1:
        yield (
            f"{_names(in_the_row)} wait for their turn to join etcd ({_reasons(in_the_row)}). That is usual while "
            "control planes start together."
        )


def _may_ail_etcd(verdict: Verdict) -> bool:
    """It is a member that is not well, or a try of it has come as far as etcd."""
    story = verdict.story
    failed = story.trouble is not None and story.trouble.phase == "kubeadm-join"
    return verdict.wrong and (failed or story.outcome is Outcome.DONE)


def _state(verdict: Verdict) -> str:
    trouble = verdict.story.trouble
    if trouble is None:
        return f"{verdict.name} is done, but not well ({verdict.findings[0].code})"
    return f"{verdict.name} stands at {trouble.phase} ({trouble.reason})"


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
