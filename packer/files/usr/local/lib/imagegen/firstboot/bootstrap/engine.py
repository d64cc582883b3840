"""Takes a machine through the phases."""

from __future__ import annotations

import errno
from collections.abc import Sequence

from bootstrap.boot import Boot
from bootstrap.clock import Backoff
from bootstrap.etcdwords import LEARNER, UNHEALTHY
from bootstrap.failures import NotYet, Retry, Trouble
from bootstrap.phases import GO_ON, Phase
from bootstrap.reasons import Note
from bootstrap.table import Step

BETWEEN_LOOKS = Backoff(first=0.5, factor=1.5, cap=10)
BETWEEN_TRIES = Backoff(first=10, factor=2, cap=120)
# Reasons that pass by themselves, as soon as other control planes have joined: the next try comes sooner.
PASSING = {LEARNER, UNHEALTHY}
BETWEEN_PASSING_TRIES = Backoff(first=5, factor=1.5, cap=30)


def attend_all(boot: Boot, steps: Sequence[Step]) -> None:
    """Runs every phase that applies, going back after a failed try; returns when all are through."""
    failures: dict[tuple[str, Backoff], int] = {}
    order = [step.phase.name for step in steps]
    position = 0
    while position < len(steps):
        step = steps[position]
        phase = step.phase
        position += 1
        if not step.applies(boot):
            continue
        try:
            _attend(boot, step)
        except Retry as failure:
            pace = BETWEEN_PASSING_TRIES if failure.reason in PASSING else BETWEEN_TRIES
            delay = boot.clock.spread(pace.delay(failures.get((phase.name, pace), 0)))
            failures[phase.name, pace] = failures.get((phase.name, pace), 0) + 1
            boot.report.retry(failure, delay)
            boot.clock.sleep(delay)
            position = order.index(phase.again or phase.name)


def _attend(boot: Boot, step: Step) -> None:
    """Looks again and again until the phase is through, or its limit is over."""
    phase = step.phase
    boot.report.begin(phase.name)
    started = boot.clock.elapsed()
    reason, looks = "", 0
    while True:
        try:
            note = _look(boot, step)
        except NotYet as pause:
            if phase.limit is None or boot.clock.elapsed() - started < phase.limit:
                # Another reason means that things move, so the looks come quickly again.
                reason, looks = pause.reason, looks + 1 if pause.reason == reason else 0
                boot.report.waiting(pause)
                boot.clock.sleep(boot.clock.spread(BETWEEN_LOOKS.delay(looks)))
                continue
            note = _end_of_wait(phase, pause)
        boot.report.ok(note)
        return


def _look(boot: Boot, step: Step) -> Note:
    try:
        return step.run(boot)
    except Trouble:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise Retry("disk-full", f"there is no room on the disk to write {error.filename or 'a file'}") from error
        # A node has nobody to restart it: even a bug is met by another try.
        raise Retry("internal-error", f"{type(error).__name__}: {error}") from error


def _end_of_wait(phase: Phase, pause: NotYet) -> Note:
    if phase.at_limit == GO_ON:
        return Note(pause.reason, f"{pause.message}; going on without it")
    raise Retry(pause.reason, pause.message) from pause
