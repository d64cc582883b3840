"""Machines on their way: what is seen of each on its console, and of its node in the API."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from imagegen import assets
from imagegen.booting.nodes import LIST, Node, read_nodes
from imagegen.booting.view import GONE, OFF, View, view
from imagegen.cli.booting import Ready
from imagegen.diagnosis.findings import Knowledge
from imagegen.lab.api import Api
from imagegen.lab.local import Local


def knowledge() -> Knowledge:
    """What `imagegen diagnose` knows."""
    return Knowledge(tables=assets.catalog().symptoms, next_steps=assets.next_steps(), mask=assets.masker())


@dataclass(slots=True, kw_only=True)
class Run:
    """Machines on their way: when each was switched on, what is seen of it, and of its node."""

    ready: Ready
    local: Local
    api: Api
    known: Knowledge
    started: dict[str, float] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)
    nodes: Mapping[str, Node] = field(default_factory=dict)
    _sizes: dict[str, int] = field(default_factory=dict)

    def start(self) -> None:
        """Power for everyone at once."""
        for machine in self.local.machines:
            self.started[machine.name] = time.time()
            machine.start()

    def look(self) -> None:
        """Read what is new."""
        phases = assets.phases()
        for member, machine in zip(self.ready.lineup.members, self.local.machines, strict=True):
            if not machine.is_running:
                self.views[member.name] = GONE
                continue
            console = machine.log.read_bytes()
            if self._sizes.get(member.name) != len(console):
                self._sizes[member.name] = len(console)
                self.views[member.name] = view(member, console, phases, self.known)
        if any(each.joined for each in self.views.values()):
            self.nodes = read_nodes(self.api.get(LIST))

    def shown(self, name: str) -> View:
        """What is seen of a machine, and of its node."""
        seen = self.views.get(name, OFF)
        node = self.node(name)
        return replace(seen, status="Ready") if seen.joined and node and node.ready else seen

    def node(self, name: str) -> Node | None:
        return self.nodes.get(self.views.get(name, OFF).node or name)

    @property
    def is_ready(self) -> bool:
        return all(self.shown(member.name).status == "Ready" for member in self.ready.lineup.members)

    @property
    def is_over(self) -> bool:
        return any(each.over for each in self.views.values())
