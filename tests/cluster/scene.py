"""One lab with a control plane and workers, whose faults are each proven, named and taken away."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import yaml

from imagegen.lab import ground, lab
from imagegen.lab.nspawn import NspawnMachine
from imagegen.lab.process import LabError
from tests.cluster.bake import Baked
from tests.cluster.conftest import diagnosis
from tests.cluster.faults import BY_NAME
from tests.cluster.impostor import Front
from tests.cluster.kubectl import Kubectl, is_ready, until
from tests.cluster.site import Site

_LOOK = 0.05
_PATIENCE = 240


@dataclass(slots=True, kw_only=True)
class Scene:
    """What tracks share: each runs in a thread, and speaks for its own machines only."""

    opened: lab.Lab
    baked: Baked
    site: Site
    kubectl: Kubectl
    front: Front
    folder: Path
    late: threading.Event = field(default_factory=threading.Event)
    """Set when the control plane has been late for long enough."""
    figures: dict[str, list[str]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def machine(self, name: str) -> NspawnMachine:
        """A machine from the baked disk with its own seed; not yet started."""
        new = self.opened.nspawn(name, self.baked.disk)
        ground.prepare(new.root, self.site.seed(name))
        return new

    def run(
        self, faults: tuple[str, ...], machine: NspawnMachine, track: Callable[[Scene, NspawnMachine], None]
    ) -> None:
        """A machine's way through its faults; why it did not get through is kept for all that it has not shown."""
        try:
            track(self, machine)
        except (AssertionError, LabError, TimeoutError, subprocess.SubprocessError) as error:
            told = f"{type(error).__name__}: {error}\n{diagnosis(machine)}"
            self.failures |= {name: told for name in faults if not self.is_over(name)}

    def is_over(self, name: str) -> bool:
        return any(figure.startswith("Ready") for figure in self.figures.get(name, ()))

    def bites(
        self, name: str, machine: NspawnMachine, *, after: int = 0, times: int = 1, limit: float = _PATIENCE
    ) -> None:
        """Wait until the machine's console gives the fault's reason, and have `diagnose` name it from there."""
        sign, started = f"reason={BY_NAME[name].reason} ", time.monotonic()
        heard(machine, sign, after=after, times=times, limit=limit)
        self.named(name, machine)
        self.note(name, f"{machine.name} says {sign.strip()} after {time.monotonic() - started:.0f} s")

    def named(self, name: str, machine: NspawnMachine) -> None:
        """`imagegen diagnose` says it first of the console as it is now."""
        record = self.folder / f"{name}.console"
        record.write_text(machine.console(), encoding="utf-8")
        command = [sys.executable, "-m", "imagegen", "diagnose", "--format", "json", str(record)]
        said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert said.returncode == 1, said.stdout + said.stderr
        (node,) = json.loads(said.stdout)["nodes"]
        codes, fault = [finding["code"] for finding in node["findings"]], BY_NAME[name]
        # A log that ends has, besides, what went wrong before.
        assert fault.finding in (codes[:1] if fault.reason else codes), said.stdout

    def note(self, name: str, figure: str) -> None:
        self.figures.setdefault(name, []).append(figure)

    def goes_on(self, name: str, machine: NspawnMachine, words: str, *, after: int = 0) -> None:
        """The cause is gone as of now: wait until first boot says what comes next."""
        mark, started = after or len(machine.console()), time.monotonic()
        heard(machine, words, after=mark, limit=BY_NAME[name].limit)
        self.note(name, f"went on {time.monotonic() - started:.0f} s after it was gone")

    def ready(self, machine: NspawnMachine, last: str, *earlier: str) -> None:
        """The last cause is gone as of now: the node is Ready within its limit, and first boot done."""
        started, limit = time.monotonic(), BY_NAME[last].limit
        until(f"{machine.name} Ready", lambda: self.is_node(machine.name), limit=limit)
        seconds = time.monotonic() - started
        heard(machine, "phase=done status=ok", limit=30)
        self.note(last, f"Ready {seconds:.0f} s after it was gone (limit {limit})")
        for name in earlier:
            self.note(name, f"Ready after {last}")

    def is_node(self, name: str) -> bool:
        return any(node["metadata"]["name"] == name and is_ready(node) for node in self.kubectl.items("nodes"))

    def api(self) -> None:
        """Wait until the control plane is a node that is Ready."""
        until("cp1 Ready", lambda: self.is_node("cp1"), limit=2 * _PATIENCE + BY_NAME["guard-other-ca"].limit)

    def unplug(self, machine: NspawnMachine) -> None:
        """Pull the cable at the far end: the machine's card loses its carrier."""
        self.opened.network.run("ip", "link", "set", machine.cable.port, "down")

    def plug_in(self, machine: NspawnMachine) -> None:
        self.opened.network.run("ip", "link", "set", machine.cable.port, "up")

    def identity(self, node: str) -> str:
        """The Node's own identity and the machine behind it."""
        wanted = "jsonpath={.metadata.uid} {.status.nodeInfo.machineID} {.status.addresses}"
        return self.kubectl.run("get", "node", node, "-o", wanted)

    def token(self, pool: str) -> str:
        bundle = yaml.safe_load(self.site.spec.with_name("secrets.yaml").read_text(encoding="utf-8"))
        return str(bundle["tokens"][pool])

    def expire(self, token: str) -> None:
        """Let a token's life end now, and wait until cluster-info is no longer signed for it."""
        name, now = token.partition(".")[0], datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        patch = json.dumps({"stringData": {"expiration": now}})
        self.kubectl.run("patch", "secret", f"bootstrap-token-{name}", "--namespace=kube-system", f"--patch={patch}")
        shown = ("get", "configmap", "cluster-info", "--namespace=kube-public", "-o", "json")
        until("cluster-info without it", lambda: name not in self.kubectl.run(*shown), limit=60)

    def renew(self, pool: str) -> None:
        """Make a pool's token good again, as an operator would."""
        self.site.call("token", "renew", "--pool", pool, "--out", str(self.site.rendered.parent))
        self.kubectl.run("apply", f"--filename={self.site.rendered / 'tokens' / f'{pool}.yaml'}")

    def killed(self, name: str, machine: NspawnMachine, seconds: float, *, after: int = 0) -> None:
        """Cut the power so long after kubeadm was started, which must still be at work then."""
        verb = name.removeprefix("killed-in-")
        heard(machine, f"phase={'guard' if verb == 'init' else 'endpoint'} status=ok", after=after, limit=_PATIENCE)
        at_work = f"pgrep --full '^kubeadm {verb}'"
        # An earlier try is undone first.
        until("kubeadm at work", lambda: machine.shell(at_work, check=False).stdout, limit=60, pause=_LOOK)
        time.sleep(seconds)
        pids = machine.shell(at_work, check=False).stdout
        machine.power_cut()
        assert pids, f"kubeadm {verb} was over after {seconds:.1f} s"
        self.named(name, machine)
        self.note(name, f"{machine.name} cut {seconds:.1f} s after kubeadm {verb} was started")
        machine.start()


def heard(machine: NspawnMachine, words: str, *, after: int = 0, times: int = 1, limit: float) -> None:
    """Wait until the console has the words, looking often."""
    end = time.monotonic() + limit
    while machine.console()[after:].count(words) < times:
        if time.monotonic() > end:
            raise TimeoutError(f"{machine.name}: not within {limit:g} s on its console: {words}")
        time.sleep(_LOOK)


def moments(seed: int, count: int, window: float) -> list[float]:
    """Random seconds."""
    chance = random.Random(seed)  # noqa: S311  to be the same each time is what it is for
    return [chance.uniform(0, window) for _ in range(count)]
