"""Faults as data: what goes wrong, how it is named, what comes of it; docs/faults.md has the same table."""

from __future__ import annotations

import os
from dataclasses import dataclass

FULL = os.environ.get("IMAGEGEN_FULL") == "1"
"""`make cluster-test FULL=1`: the long waits, and 20 kills at random moments."""
HEAD = ("Fault", "Console says", "`diagnose` names", "End state", "Time limit", "Real run in CI", "With `FULL=1`")
_GOES_ON = "waits, then Ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One row: `limit` is counted from when the cause is gone; `scripted` are its tests with a scripted kubeadm."""

    name: str
    what: str
    reason: str
    finding: str
    end: str
    limit: int
    scripted: tuple[str, ...]
    real: str
    full: str = ""
    virtual: bool = False
    """Run by `make vm-test`: containers have the host's clock."""

    def cells(self) -> tuple[str, ...]:
        """The row in the docs."""
        says = f"`{self.reason}`" if self.reason else "nothing: the log ends"
        full = self.full or "the same"
        return (self.what, says, f"`{self.finding}`", self.end, f"{self.limit} s", self.real, full)


FAULTS = (
    Fault(
        name="control-plane-late",
        what="the control plane is late",
        reason="refused",
        finding="refused",
        end=_GOES_ON,
        limit=120,
        scripted=("test_waits.py::test_endpoint_is_waited_for_as_long_as_it_takes",),
        real="15 seconds and more",
        full="ten minutes and more",
    ),
    Fault(
        name="endpoint-hangs",
        what="the endpoint accepts connections and says nothing",
        reason="timeout",
        finding="timeout",
        end=_GOES_ON,
        limit=60,
        scripted=("test_faults.py::test_an_endpoint_that_accepts_and_hangs",),
        real="until the API is up",
    ),
    Fault(
        name="endpoint-other-ca",
        what="the endpoint has another CA, and cluster-info signed with the node's own token",
        reason="preflight-failed",
        finding="ca-not-pinned",
        end="refused for ever; once the cluster's own CA answers, Ready",
        limit=180,
        scripted=("test_faults.py::test_another_ca_is_refused_however_often_it_is_tried",),
        real="refused twice",
        full="refused four times",
    ),
    Fault(
        name="guard-other-ca",
        what="the same, met by the first control plane",
        reason="endpoint-other-ca",
        finding="endpoint-other-ca",
        end="starts no cluster; once nobody answers there, Ready",
        limit=300,
        scripted=("test_guard.py::test_starts_its_cluster_when_the_other_is_gone",),
        real="once",
    ),
    Fault(
        name="killed-in-init",
        what="power fails at random moments of `kubeadm init`",
        reason="",
        finding="running",
        end="resumed, Ready",
        limit=300,
        scripted=(
            "test_crash.py::test_killed_in_the_middle",
            "test_crash.py::test_power_may_fail_between_any_two_writes",
        ),
        real="twice on one machine, by a fixed seed",
        full="and ten machines once, by a new seed",
    ),
    Fault(
        name="killed-in-join",
        what="power fails at random moments of `kubeadm join`",
        reason="",
        finding="running",
        end="joins anew, Ready",
        limit=180,
        scripted=(
            "test_crash.py::test_killed_in_the_middle",
            "test_crash.py::test_power_may_fail_between_any_two_writes",
        ),
        real="once, by a fixed seed",
        full="and ten machines once, by a new seed",
    ),
    Fault(
        name="network-gone",
        what="the network is gone: the cable is pulled at its far end",
        reason="unreachable",
        finding="unreachable",
        end=_GOES_ON,
        limit=60,
        scripted=("test_faults.py::test_a_network_that_goes_and_comes_back",),
        real="until the API is up",
        full="five minutes at least",
    ),
    Fault(
        name="clock-behind",
        what="the clock is years behind, and the time server answers late",
        reason="clock-behind",
        finding="clock-behind",
        end="waits before kubeadm, then goes on",
        limit=180,
        scripted=("test_waits.py::test_clock_that_is_set_late",),
        real="once, in a virtual machine",
        virtual=True,
    ),
    Fault(
        name="token-expired",
        what="the pool's token has expired; then `imagegen token renew`",
        reason="token-not-signed",
        finding="token-not-signed",
        end=_GOES_ON,
        limit=90,
        scripted=("test_waits.py::test_endpoint_that_is_not_ready",),
        real="once",
    ),
    Fault(
        name="name-taken",
        what="a worker has the name of a node that is Ready; then one of its own",
        reason="kubeadm-failed",
        finding="name-taken",
        end="refused, the other node untouched; under its own name, Ready",
        limit=120,
        scripted=("test_faults.py::test_a_name_that_is_taken_is_refused_until_the_machine_has_another",),
        real="once",
    ),
    Fault(
        name="disk-full",
        what="the disk is full to the last block; then there is room",
        reason="disk-full",
        finding="disk-full",
        end=_GOES_ON,
        limit=120,
        scripted=("test_tries.py::test_on_a_full_disk_the_console_still_tells_and_the_wait_goes_on",),
        real="once",
    ),
    Fault(
        name="runtime-down",
        what="the container runtime fails at first",
        reason="runtime-silent",
        finding="runtime-silent",
        end=_GOES_ON,
        limit=300,
        scripted=(
            "test_waits.py::test_runtime_comes_late",
            "test_waits.py::test_runtime_that_stays_away_is_told_and_tried_again",
        ),
        real="half a minute, on the control plane",
        full="more than its limit of two minutes",
    ),
)
BY_NAME = {fault.name: fault for fault in FAULTS}


def table() -> str:
    """The table of docs/faults.md."""
    head = [HEAD, tuple("---" for _ in HEAD)]
    rows = (*head, *(fault.cells() for fault in FAULTS))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)
