"""A lab: a network, the machines on it, and the promise that nothing of it stays."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Interface
from pathlib import Path

from imagegen.lab import disk, leftovers, sysctls
from imagegen.lab.cgroups import Hierarchies
from imagegen.lab.network import Network
from imagegen.lab.nspawn import NspawnMachine


@dataclass(slots=True, kw_only=True)
class Lab:
    """Machines beside each other; made and ended by `opened`."""

    name: str
    folder: Path
    network: Network
    hierarchies: Hierarchies
    _end: ExitStack
    _machines: list[NspawnMachine] = field(default_factory=list, init=False)

    def nspawn(self, name: str, image: Path, *, read_only: Mapping[str, Path] | None = None) -> NspawnMachine:
        """A machine, not yet started, with its own copy of a disk image, which ends with the lab.

        `read_only`: folders of this host that it sees, by where they lie in it.
        """
        own = f"{self.name}-{name}"
        raw = self.folder / f"{name}.raw"
        self._end.callback(raw.unlink, missing_ok=True)
        disk.copy_raw(image, raw)
        machine = NspawnMachine(
            name=name,
            disk=raw,
            root=self.folder / "roots" / name,
            log=self.folder / f"{name}.console",
            cable=self.network.cable(name=own, port=f"port{len(self._machines)}"),
            group=self.hierarchies.group(own),
            unified=self.hierarchies.unified,
            read_only=read_only or {},
        )
        self._machines.append(machine)
        self._end.callback(machine.close)
        machine.open()
        return machine


@contextmanager
def opened(folder: Path, *, operator: IPv4Interface) -> Iterator[Lab]:
    """A lab whose disks and consoles lie in a new folder below `folder`; `operator` is our address beside the machines.

    Its names carry the process that owns it: what a killed run left behind is found by that, and goes
    before a new lab is made.
    """
    leftovers.remove()
    name = leftovers.new_name()
    inside = folder / name
    (inside / "roots").mkdir(parents=True)
    with ExitStack() as end:
        end.callback((inside / "roots").rmdir)
        end.enter_context(sysctls.kept())
        network = Network(name=name, operator=operator)
        end.callback(network.delete)
        network.create()
        yield Lab(name=name, folder=inside, network=network, hierarchies=Hierarchies.of_host(), _end=end)
