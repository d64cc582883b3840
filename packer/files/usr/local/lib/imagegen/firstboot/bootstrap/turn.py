"""Lets control planes join one after another."""

from __future__ import annotations

import ipaddress

from bootstrap.boot import Boot
from bootstrap.failures import NotYet
from bootstrap.reasons import Note

# etcd takes one learner at a time (its --max-learners is 1), for some seconds between the announcement of a member and
# its promotion. kubeadm goes on announcing for two minutes; who does not get through in them is tried again.
PLACES, APART = 6, 5


def turn(boot: Boot) -> Note:
    """Waits for this machine's place in the row; only before its first try, for the later ones are spread by chance."""
    seconds = place(boot.config.advertise_address) * APART
    if boot.state.total_tries or not seconds:
        return Note()
    message = f"control planes that start together join {APART} s apart: this one goes in {seconds} s"
    boot.report.waiting(NotYet("turn", message))
    boot.clock.sleep(seconds)
    return Note("", f"after {seconds} s")


def place(address: str) -> int:
    """Machines at neighbouring addresses have different places."""
    return int(ipaddress.ip_address(address)) % PLACES
