"""The pages of a runbook, and an operator who runs what stands in them, word for word."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from imagegen.lab.network import Network
from imagegen.lab.nspawn import NspawnMachine
from tests.cluster.site import Site
from tests.support.runbook import SETTINGS, Block, blocks, with_settings
from tools import toolbox

Run = frozenset[tuple[str, str]]

# Which test runs which block; a contract test holds that together they are all.
WITH_ONE_CONTROL_PLANE: Run = frozenset(
    (page, block)
    for page, named in {
        "README": ("kubeconfig",),
        "check": (SETTINGS, "nodes", "names", "pods", "etcd", "snapshot", "first-boot"),
        "add-a-node": (SETTINGS, "render", "wait"),
        "remove-a-node": (SETTINGS, "drain", "reset", "delete", "forget", "wait"),
        "tokens": (SETTINGS, "list", "renew", "rotate", "retire"),
        "certificates": (SETTINGS, "renew", "restart", "kubeconfig"),
        "restore": (SETTINGS, "take", "stop", "restore", "start", "kubelet", "watchers"),
    }.items()
    for block in named
)
WITH_SEVERAL: Run = frozenset(
    ("replace-a-control-plane", block) for block in (SETTINGS, "remove-member", "delete", "render", "wait", "reset")
)
WITH_A_NEW_IMAGE: Run = frozenset(("upgrade", block) for block in (SETTINGS, "render", "bake", "version", "add-ons"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Runbook:
    """A site's pages, who runs them, and what has been run so far."""

    site: Site
    network: Network
    programs: Path
    ran: set[tuple[str, str]] = field(default_factory=set)

    def on_the_computer(self, page: str, *names: str, timeout: float = 180, **settings: str) -> str:
        """Run blocks in one shell behind the page's settings, which are filled in; what they say."""
        found = self._blocks(page)
        if SETTINGS in found:
            names = (SETTINGS, *names)
        texts = [self._text(page, found[name], "operator", settings) for name in names]
        environment = (f"--chdir={self.site.spec.parent}", f"PATH={self.programs}:/usr/sbin:/usr/bin:/sbin:/bin")
        script = ("bash", "-euo", "pipefail", "-c", "\n".join(texts))
        return self.network.run("env", *environment, *script, timeout=timeout).stdout

    def on_the_node(self, machine: NspawnMachine, page: str, name: str, *, timeout: float = 180) -> str:
        """Run a block in a machine, as root; what it says."""
        text = self._text(page, self._blocks(page)[name], "node", {})
        return machine.shell(f"set -eu\n{text}", timeout=timeout).stdout

    def _blocks(self, page: str) -> Mapping[str, Block]:
        return blocks((self.site.rendered / "runbook" / f"{page}.md").read_text(encoding="utf-8"))

    def _text(self, page: str, block: Block, where: str, settings: Mapping[str, str]) -> str:
        assert block.where == where, (page, block.name)
        self.ran.add((page, block.name))
        return with_settings(block.text, settings) if block.name == SETTINGS else block.text


def runbook(site: Site, network: Network, programs: Path) -> Runbook:
    """Have the pages written; `programs` becomes a folder with what an operator has."""
    site.call("runbook", "--out", str(site.rendered.parent))
    programs.mkdir()
    (programs / "kubectl").symlink_to(toolbox.path("kubectl"))
    (programs / "imagegen").write_text(f'#!/bin/sh\nexec {sys.executable} -m imagegen "$@"\n', encoding="utf-8")
    (programs / "imagegen").chmod(0o755)
    return Runbook(site=site, network=network, programs=programs)
