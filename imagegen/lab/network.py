"""A network of the lab's own: one bridge, one cable to each machine, nothing to the outside."""

from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path
from subprocess import CompletedProcess

from imagegen.lab.process import run

BRIDGE = "lab0"
BRIDGE_ADDRESS = "02:69:6d:67:00:01"
CARD = "eth0"
NAMESPACES = Path("/run/netns")


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A network namespace with a bridge; who works in it stands beside the machines."""

    name: str
    operator: IPv4Interface

    def create(self) -> None:
        run("ip", "netns", "add", self.name)
        self._ip("link", "set", "lo", "up")
        # A bridge without an address of its own changes it with its ports, and the machines lose it.
        self._ip("link", "add", BRIDGE, "address", BRIDGE_ADDRESS, "type", "bridge")
        self._ip("address", "add", str(self.operator), "dev", BRIDGE)
        self._ip("link", "set", BRIDGE, "up")

    def delete(self) -> None:
        delete_namespace(self.name)

    def run(self, *command: str, timeout: float = 60, check: bool = True) -> CompletedProcess[str]:
        """Run a program of the host on the operator's side of the network."""
        return run("ip", "netns", "exec", self.name, *command, timeout=timeout, check=check)

    def cable(self, *, name: str, port: str) -> "Cable":
        return Cable(network=self, name=name, port=port)

    def _ip(self, *arguments: str) -> None:
        run("ip", "-n", self.name, *arguments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cable:
    """A machine's namespace with one card, and the bridge's port that the card hangs on."""

    network: Network
    name: str
    port: str

    @property
    def namespace(self) -> Path:
        return NAMESPACES / self.name

    def plug(self) -> None:
        """A fresh namespace: an old one would still hold, and answer for, the last boot's addresses."""
        self.unplug()
        run("ip", "netns", "add", self.name)
        pair = ("type", "veth", "peer", "name", CARD, "netns", self.name)
        run("ip", "-n", self.network.name, "link", "add", self.port, *pair)
        self.restore()
        run("ip", "-n", self.network.name, "link", "set", self.port, "up")

    def unplug(self) -> None:
        delete_namespace(self.name)
        run("ip", "-n", self.network.name, "link", "delete", self.port, check=False)

    def cut(self) -> None:
        """Off the bridge, not down: a far network that fails does not take the card's carrier along."""
        run("ip", "-n", self.network.name, "link", "set", self.port, "nomaster")

    def restore(self) -> None:
        run("ip", "-n", self.network.name, "link", "set", self.port, "master", BRIDGE)


def delete_namespace(name: str) -> None:
    """Remove a network namespace; it is no error that there is none."""
    if (NAMESPACES / name).exists():
        run("ip", "netns", "delete", name)
