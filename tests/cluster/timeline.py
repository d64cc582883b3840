"""How long each node took, from power on, by its own and the cluster's records."""

import re
from dataclasses import dataclass
from typing import Any, Protocol

from imagegen.lab.machine import Machine
from tests.cluster.kubectl import condition, moment, until

BOOT_FINISHED = "/var/lib/cloud/instance/boot-finished"
_UNIT = "imagegen-bootstrap.service"
# Run by hand, kubeadm would take as long, and so would its wait for a runtime and for somebody who is to be joined.
_IN_ANY_CASE = {"runtime", "endpoint", "kubeadm-init", "kubeadm-join", "cni", "pre-kubeadm", "post-kubeadm"}
_LINE = re.compile(r"imagegen: phase=(\S+) status=(ok|retry) seconds=([\d.]+)(?:.*; again in (\d+) s)?")


class Measured(Machine, Protocol):
    """A machine that tells how much memory it holds."""

    def memory(self) -> int:
        """Bytes of this host's memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeTimes:
    """Seconds since power on, and memory at the time of asking."""

    name: str
    cloud_init: float
    joined: float
    ready: float
    ours: float
    """Seconds that first boot adds to what a person with kubeadm would run, or wait for, in any case."""
    mebibytes: int

    @property
    def share(self) -> float:
        """What part of the time until the node was Ready is ours."""
        return self.ours / self.ready

    def __str__(self) -> str:
        return (
            f"{self.name:10} cloud-init done {self.cloud_init:5.1f} s, joined {self.joined:5.1f} s, "
            f"Ready {self.ready:5.1f} s, {self.ours:.1f} s of it ours ({self.share:.0%}); {self.mebibytes} MiB"
        )


def measure(machine: Measured, node: dict[str, Any], *, started: float) -> NodeTimes:
    """Read the times of a machine whose node is Ready; the API server's have whole seconds."""
    finished = float(machine.shell(f"stat -L -c %.Y {BOOT_FINISHED}").stdout)
    return NodeTimes(
        name=machine.name,
        cloud_init=finished - started,
        joined=moment(node["metadata"]["creationTimestamp"]) - started,
        ready=moment(condition(node, "Ready")["lastTransitionTime"]) - started,
        ours=_elapsed(machine) - sum(map(_not_ours, _LINE.finditer(machine.console()))),
        mebibytes=machine.memory() >> 20,
    )


def _elapsed(machine: Measured) -> float:
    """Seconds from the start of first boot's program to its end."""
    until(f"the end of {_UNIT}", lambda: "phase=done status=ok" in machine.console(), limit=60)
    names = ("ExecMainStartTimestampMonotonic", "ExecMainExitTimestampMonotonic")
    shown = machine.shell(f"systemctl show {_UNIT} {' '.join(f'--property={name}' for name in names)}").stdout
    times = dict(line.split("=") for line in shown.split())
    began, ended = (int(times[name]) for name in names)
    return (ended - began) / 1e6


def _not_ours(line: re.Match[str]) -> float:
    """Seconds of a console's line that were not first boot's own: of a failed try, the pause after it as well."""
    phase, status, seconds, pause = line.groups()
    if status == "retry":
        return float(seconds) + float(pause or 0)
    return float(seconds) if phase in _IN_ANY_CASE else 0.0
