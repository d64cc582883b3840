"""How long each node took, from power on, by its own and the cluster's records."""

from dataclasses import dataclass
from typing import Any

from imagegen.lab.nspawn import NspawnMachine
from tests.cluster.kubectl import condition, moment

BOOT_FINISHED = "/var/lib/cloud/instance/boot-finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeTimes:
    """Seconds since power on, and memory at the time of asking."""

    name: str
    cloud_init: float
    joined: float
    ready: float
    mebibytes: int

    def __str__(self) -> str:
        return (
            f"{self.name:10} cloud-init done {self.cloud_init:5.1f} s, joined {self.joined:5.1f} s, "
            f"Ready {self.ready:5.1f} s; {self.mebibytes} MiB"
        )


def measure(machine: NspawnMachine, node: dict[str, Any], *, started: float) -> NodeTimes:
    """Read the times of a machine whose node is Ready; the API server's have whole seconds."""
    finished = float(machine.shell(f"stat -L -c %.Y {BOOT_FINISHED}").stdout)
    return NodeTimes(
        name=machine.name,
        cloud_init=finished - started,
        joined=moment(node["metadata"]["creationTimestamp"]) - started,
        ready=moment(condition(node, "Ready")["lastTransitionTime"]) - started,
        mebibytes=machine.memory() >> 20,
    )
