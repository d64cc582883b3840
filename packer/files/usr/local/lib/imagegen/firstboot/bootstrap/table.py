"""The phases of first boot, each with what it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bootstrap import (
    admin,
    cni,
    endpoint,
    guard,
    hairpin,
    hooks,
    keepalived,
    kubeadm,
    kubevip,
    membership,
    phases,
    settle,
    turn,
    waits,
    wipe,
)
from bootstrap.boot import Boot
from bootstrap.phases import ALWAYS, ROLES, UNTIL_DONE, UNTIL_JOINED, Phase
from bootstrap.reasons import Note

RUN: dict[str, Callable[[Boot], Note]] = {
    "wipe": wipe.wipe,
    "contract": waits.contract,
    "runtime": waits.runtime,
    "clock": waits.clock,
    "settle": settle.settle,
    "balancer": hairpin.give_back,
    "keepalived": keepalived.start,
    "pre-kubeadm": hooks.before,
    "guard": guard.guard,
    "endpoint": endpoint.endpoint,
    "turn": turn.turn,
    "etcd-member": membership.take_place,
    "kubeadm-init": kubeadm.init,
    "kubeadm-join": kubeadm.join,
    "hairpin": hairpin.take,
    "kube-vip": kubevip.give_back,
    "cni": cni.cni,
    "admin": admin.serve,
    "post-kubeadm": hooks.after,
    "done": wipe.done,
}


@dataclass(frozen=True)
class Step:
    """A phase, and what it runs."""

    phase: Phase
    run: Callable[[Boot], Note]

    def applies(self, boot: Boot) -> bool:
        # The role is not known before the contract has been read; up to there, phases are for all.
        role_fits = self.phase.roles == ROLES or boot.role in self.phase.roles
        needed = not self.phase.hooks or bool(hooks.waiting(boot, self.phase.hooks))
        needed = needed and (not self.phase.setting or self.phase.setting in boot.node.settings)
        return role_fits and boot.mode in self.phase.modes and needed and not self._is_past(boot)

    def _is_past(self, boot: Boot) -> bool:
        done = boot.paths.done.exists()
        return {ALWAYS: False, UNTIL_DONE: done, UNTIL_JOINED: done or boot.state.joined}[self.phase.until]


STEPS = tuple(Step(phase, RUN[phase.name]) for phase in phases.PHASES)
