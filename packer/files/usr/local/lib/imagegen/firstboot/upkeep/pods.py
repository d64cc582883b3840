"""Starts containers of static pods anew.

The manifest is not moved away and back, as Kubernetes' manual has it: a power cut in between would leave the machine
without the pod. The container is ended; the kubelet starts it again, at once the first time.
"""

from __future__ import annotations

from bootstrap import probe, yamlfile
from bootstrap.clock import Clock
from bootstrap.paths import Paths
from bootstrap.tools import Tools

from upkeep.telling import FAILED, Trouble

ENDPOINT = "kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint"
CTR = ("ctr", "--namespace", "k8s.io")
POLL = 1.0
# What an API server answers in moments, it has answered by then; watches would hold it for a minute, and let nobody in.
# kubeadm gives a component four minutes to be healthy.
PATIENCE, RESTART_LIMIT, READY_LIMIT = 10.0, 180.0, 240.0


class Pods:
    """The static pods of this control plane."""

    def __init__(self, paths: Paths, clock: Clock, tools: Tools) -> None:
        self._paths, self._clock, self._tools = paths, clock, tools

    def has(self, name: str) -> bool:
        return (self._paths.kubernetes / "manifests" / f"{name}.yaml").exists()

    def running(self, name: str) -> set[str]:
        """The containers of this pod."""
        told = f'labels."io.kubernetes.container.name"=={name},labels."io.kubernetes.pod.namespace"==kube-system'
        known = set(self._tools.ask(*CTR, "containers", "list", "--quiet", told).out.split())
        tasks = [line.split() for line in self._tools.ask(*CTR, "tasks", "list").out.splitlines()]
        return known & {words[0] for words in tasks if words[-1:] == ["RUNNING"]}

    def restart(self, name: str, old: set[str]) -> None:
        """Ends those containers of the pod, as far as they still run, and waits until another one does."""
        started, hard = self._clock.elapsed(), False
        self._end(old & self.running(name), "SIGTERM")
        while not (self.running(name) - old):
            waited = self._clock.elapsed() - started
            if waited > RESTART_LIMIT:
                raise Trouble(FAILED, "pod-not-restarted", f"{name} does not run again after {waited:.0f} s")
            if waited > PATIENCE and not hard:
                hard = True
                self._end(old & self.running(name), "SIGKILL")
            self._clock.sleep(POLL)

    def api_is_ready(self) -> bool:
        host, port = self.api_server
        return probe.is_ready(host, port)

    def await_api(self) -> None:
        """Waits until this machine's own API server is ready."""
        started = self._clock.elapsed()
        while not self.api_is_ready():
            waited = self._clock.elapsed() - started
            if waited > READY_LIMIT:
                raise Trouble(FAILED, "api-server-not-ready", f"the API server is not ready after {waited:.0f} s")
            self._clock.sleep(POLL)

    @property
    def api_server(self) -> tuple[str, int]:
        """Where this machine's own API server listens, as kubeadm has noted it."""
        (pod,) = yamlfile.read(self._paths.kubernetes / "manifests" / "kube-apiserver.yaml")
        host, _, port = pod["metadata"]["annotations"][ENDPOINT].rpartition(":")
        return host.strip("[]"), int(port)

    def _end(self, containers: set[str], signal: str) -> None:
        for container in containers:
            # It may have ended meanwhile.
            self._tools.ask(*CTR, "tasks", "kill", "--signal", signal, container)
