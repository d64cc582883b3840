"""The phases of first boot, in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bootstrap import cni, endpoint, guard, hooks, kubeadm, settle, waits, wipe
from bootstrap.boot import INIT_MODE, JOIN_MODE, Boot
from bootstrap.identity import INIT, JOIN, WORKER
from bootstrap.reasons import Note

ROLES = frozenset({INIT, JOIN, WORKER})
FIRST = frozenset({INIT})
ANY_MODE = frozenset({INIT_MODE, JOIN_MODE, ""})

# Up to when a phase is run: on every boot, until the node is marked done, until kubeadm has succeeded.
ALWAYS, UNTIL_DONE, UNTIL_JOINED = "always", "done", "joined"
# What happens when the limit of a wait is over.
RETRY, GO_ON = "retry", "go on"
SETTLE = "settle"


def _always(_: Boot) -> bool:
    return True


@dataclass(frozen=True)
class Phase:
    """A step of first boot; after a failed try the boot goes back to the phase `again`, or to this one."""

    name: str
    run: Callable[[Boot], Note]
    roles: frozenset[str] = ROLES
    modes: frozenset[str] = ANY_MODE
    until: str = UNTIL_JOINED
    limit: float | None = None
    at_limit: str = RETRY
    again: str = ""
    needed: Callable[[Boot], bool] = _always

    def applies(self, boot: Boot) -> bool:
        # The role is not known before the contract has been read; up to there, phases are for all.
        role_fits = self.roles == ROLES or boot.node.role in self.roles
        return role_fits and boot.mode in self.modes and not self._is_past(boot) and self.needed(boot)

    def _is_past(self, boot: Boot) -> bool:
        done = boot.paths.done.exists()
        return {ALWAYS: False, UNTIL_DONE: done, UNTIL_JOINED: done or boot.state.joined}[self.until]


PHASES = (
    Phase("wipe", wipe.wipe, until=ALWAYS),
    Phase("contract", waits.contract, until=UNTIL_DONE),
    Phase("runtime", waits.runtime, limit=120),
    Phase("clock", waits.clock, limit=300, at_limit=GO_ON),
    Phase("settle", settle.settle, limit=300),
    Phase("pre-kubeadm", hooks.before, needed=hooks.has_before),
    Phase("guard", guard.guard, roles=FIRST),
    Phase("endpoint", endpoint.endpoint, modes=frozenset({JOIN_MODE})),
    Phase("kubeadm-init", kubeadm.init, roles=FIRST, modes=frozenset({INIT_MODE}), again=SETTLE),
    Phase("kubeadm-join", kubeadm.join, modes=frozenset({JOIN_MODE}), again=SETTLE),
    Phase("cni", cni.cni, roles=FIRST, modes=frozenset({INIT_MODE}), until=UNTIL_DONE),
    Phase("post-kubeadm", hooks.after, until=UNTIL_DONE, needed=hooks.has_after),
    Phase("done", wipe.done, until=UNTIL_DONE),
)
