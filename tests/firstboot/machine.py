"""A machine below a folder, whose programs are scripts and whose time is made up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from bootstrap.clock import Clock
from bootstrap.identity import parse_time
from bootstrap.paths import Paths
from bootstrap.program import run

from tests.firstboot import documents
from tests.firstboot.servers import Cluster

BUILT, RENDERED = "2026-11-20T08:00:00Z", "2026-11-21T08:00:00Z"
START = parse_time("2026-11-22T08:00:00Z")
PROGRAM = Path(sys.modules["bootstrap"].__file__ or "").parents[1]

# Records the call; then does what the test has planned for this one, or what follows.
PROLOGUE = """#!/bin/sh
root={root} plans={plans}
echo "{name} $*" >> {calls}
plan="$plans/{name}-$1"
[ "$1 $2" != "init phase" ] || plan="$plans/{name}-phase"
if [ -s "$plan" ]; then
    step=$(head -n 1 "$plan")
    sed -i 1d "$plan"
    eval "$step"
fi
"""
KUBEADM = """
etc="$root/etc/kubernetes"
case "$1 $2 $3" in
"init phase certs")
    pki=$(sed -n 's/^certificatesDir: //p' "$6")
    cp "$root/answers/etcd-client.crt" "$pki/etcd/healthcheck-client.crt"
    cp "$root/answers/etcd-client.key" "$pki/etcd/healthcheck-client.key"
    exit ;;
"init phase kubeconfig")
    touch "$6/admin.conf"
    exit ;;
esac
case "$1" in
reset)
    rm -rf "$etc"/pki/* "$etc"/manifests/* "$etc"/*.conf "$root"/var/lib/kubelet/* ;;
init|join)
    if [ "$1" = init ] || grep -q '^controlPlane:' "$3"; then
        [ -f "$etc/pki/ca.key" ] || { echo "error: kubeadm would make a CA of its own"; exit 1; }
        mkdir -p "$root/var/lib/etcd/member" "$etc/manifests"
        touch "$etc/manifests/kube-apiserver.yaml"
    elif [ -f "$etc/pki/ca.crt" ]; then
        echo "[preflight] Some fatal errors occurred:"
        echo "	[ERROR FileAvailable--etc-kubernetes-pki-ca.crt]: /etc/kubernetes/pki/ca.crt already exists"
        exit 1
    fi
    mkdir -p "$etc/pki"
    touch "$etc/kubelet.conf" "$etc/pki/ca.crt"
    [ "$1" = join ] || touch "$etc/admin.conf" ;;
esac
"""
# What the API says of etcd's pods stands apart: `answer` is for everything else.
KUBECTL = """
case "$*" in
"completion bash") echo "complete kubectl" ;;
*" get pods "*) cat "$root/answers/pods" ;;
*) cat "$root/answers/kubectl" ;;
esac
"""
ADDRESSES = [
    {"ifname": "lo", "addr_info": [{"local": "127.0.0.1", "scope": "host"}]},
    {"ifname": "eth0", "addr_info": [{"local": "192.168.0.11", "scope": "global"}]},
]


class TimeIsUp(BaseException):
    """The machine has waited as long as the test lets it."""


class MadeUpClock(Clock):
    """Sleeping takes no time; what is due while somebody sleeps, happens then."""

    def __init__(self) -> None:
        self.start = START
        self.passed = 0.0
        self.end = 7200.0
        self._due: list[tuple[float, Callable[[], object]]] = []

    def at(self, seconds: float, action: Callable[[], object]) -> None:
        self._due.append((seconds, action))

    def now(self) -> float:
        return self.start + self.passed

    def elapsed(self) -> float:
        return self.passed

    def sleep(self, seconds: float) -> None:
        self.passed += seconds
        for item in [item for item in self._due if item[0] <= self.passed]:
            self._due.remove(item)
            item[1]()
        if self.passed > self.end:
            raise TimeIsUp

    def spread(self, seconds: float) -> float:
        return seconds


class Machine:
    """One machine: what user-data has put on it, what it does, what is seen of it."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        self.cluster = cluster
        self.clock = MadeUpClock()
        self.root, self.bin, self._plans = folder / "root", folder / "bin", folder / "plans"
        self._calls = folder / "calls"
        self.paths = Paths(self.root)
        for made in (self.bin, self._plans, self.root / "dev"):
            made.mkdir(parents=True)
        self.paths.console.touch()
        self.write("/proc/sys/kernel/hostname", "node-1\n")
        self.script("kubeadm", KUBEADM)
        self.answer("ip", json.dumps(ADDRESSES))
        self.write("/etc/hosts", "127.0.0.1 localhost\n")
        self.script("hostname", 'echo "$1" > "$root/proc/sys/kernel/hostname"\n')
        self.script("runuser", 'HOME="$root/home/$2" && mkdir -p "$HOME" && cd "$HOME" && export HOME && sh -c "$4"\n')
        for name in ("ctr", "systemctl"):
            self.script(name, "")
        self.write("/answers/pods", '{"items": []}')
        self.write("/answers/kubectl", "")
        self.script("kubectl", KUBECTL)
        certificate, key = cluster.authority.sign_client()
        self.write("/answers/etcd-client.crt", certificate)
        self.write("/answers/etcd-client.key", key)

    def write(self, path: str, content: str) -> Path:
        target = self.paths.at(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)
        return target

    def read(self, path: str) -> str:
        return self.paths.at(path).read_text()

    def has(self, path: str) -> bool:
        return self.paths.at(path).exists()

    def script(self, name: str, body: str) -> None:
        path = self.bin / name
        path.write_text(PROLOGUE.format(root=self.root, plans=self._plans, name=name, calls=self._calls) + body)
        path.chmod(0o755)

    def answer(self, name: str, output: str) -> None:
        """The program prints this, always."""
        self.write(f"/answers/{name}", output)
        self.script(name, KUBECTL if name == "kubectl" else f'cat "$root/answers/{name}"\n')

    def plan(self, call: str, *steps: str) -> None:
        """What `kubeadm-join` or the like does on its next calls; without `exit`, it does its usual work after."""
        (self._plans / call).write_text("".join(f"{step}\n" for step in steps))

    def stage(self, role: str, **changes: object) -> None:
        """What the image and user-data bring for a node of this role."""
        node = documents.node(role, self.cluster.endpoint, RENDERED, **changes)
        image = {"contract": 1, "name": "node", "builtBy": {"builder": "qemu", "at": BUILT}, "kubernetes": "1.37.2"}
        self.write("/etc/imagegen/node.json", json.dumps(node))
        self.write("/etc/imagegen/image.json", json.dumps(image))
        self.write("/usr/local/lib/imagegen/cni/flannel.yaml", yaml.safe_dump_all(documents.flannel()))
        for name, content in documents.kubeadm_files(role, self.cluster.endpoint).items():
            self.write(f"/var/lib/imagegen/{name}", yaml.safe_dump_all(content)).chmod(0o600)
        for name, text in documents.pki(role, self.cluster.authority).items():
            self.write(f"/var/lib/imagegen/pki/{name}", text).chmod(0o600)

    def boot(self, *, until: float | None = None) -> int | None:
        """Runs first boot; nothing comes back where it still waits when the time is up."""
        self.clock.end = self.clock.passed + (until or 7200)
        try:
            return run(self.paths, self.clock)
        except TimeIsUp:
            if until is None:
                raise AssertionError("\n".join(self.lines)) from None
            return None

    def start(self) -> subprocess.Popen[str]:
        """The program as the service starts it, in real time."""
        environment = {**os.environ, "IMAGEGEN_ROOT": str(self.root), "PYTHONDONTWRITEBYTECODE": "1"}
        command = (sys.executable, str(PROGRAM))
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    @property
    def lines(self) -> list[str]:
        """What the console has shown."""
        return self.paths.console.read_text().splitlines()

    @property
    def calls(self) -> list[str]:
        return self._calls.read_text().splitlines() if self._calls.exists() else []

    def calls_of(self, start: str) -> list[str]:
        return [call for call in self.calls if call.startswith(start)]

    @property
    def verbs(self) -> list[str]:
        """What kubeadm was told to do, in order; its check of the configuration and single phases aside."""
        said = [call.split() for call in self.calls_of("kubeadm")]
        return [words[1] for words in said if words[1] != "config" and words[2] != "phase"]

    @property
    def story(self) -> list[str]:
        """The lines without their seconds and messages."""
        return [
            " ".join(word for word in line.split(" message=")[0].split()[1:] if not word.startswith("seconds="))
            for line in self.lines
        ]

    @property
    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = json.loads(self.paths.status.read_text())
        return status

    def every_file(self) -> dict[str, bytes]:
        files = [path for path in self.root.rglob("*") if path.is_file()]
        return {str(path.relative_to(self.root)): path.read_bytes() for path in files}
