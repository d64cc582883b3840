"""Every path that first boot touches, below one root."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Paths:
    """The node's files; the root is another folder in tests."""

    root: Path

    def at(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    @property
    def node(self) -> Path:
        return self.at("/etc/imagegen/node.json")

    @property
    def image(self) -> Path:
        return self.at("/etc/imagegen/image.json")

    @property
    def home(self) -> Path:
        return self.at("/var/lib/imagegen")

    @property
    def staged_pki(self) -> Path:
        return self.home / "pki"

    @property
    def staged_manifests(self) -> Path:
        return self.home / "manifests"

    @property
    def work(self) -> Path:
        return self.home / "work"

    @property
    def state(self) -> Path:
        return self.home / "state.json"

    @property
    def status(self) -> Path:
        return self.home / "status.json"

    @property
    def done(self) -> Path:
        return self.home / "done"

    @property
    def received(self) -> Path:
        return self.home / "received"

    @property
    def lock(self) -> Path:
        return self.home / "lock"

    @property
    def hairpin(self) -> Path:
        return self.home / "hairpin"

    @property
    def keepalived(self) -> Path:
        return self.at("/etc/keepalived/machine.conf")

    @property
    def logs(self) -> Path:
        return self.at("/var/log/imagegen")

    @property
    def console(self) -> Path:
        return self.at("/dev/console")

    @property
    def hostname(self) -> Path:
        return self.at("/proc/sys/kernel/hostname")

    @property
    def hostname_file(self) -> Path:
        return self.at("/etc/hostname")

    @property
    def hosts(self) -> Path:
        return self.at("/etc/hosts")

    @property
    def instance_id(self) -> Path:
        return self.at("/var/lib/cloud/data/instance-id")

    @property
    def hooks(self) -> Path:
        return self.at("/etc/imagegen/hooks")

    @property
    def cni(self) -> Path:
        return self.at("/usr/local/lib/imagegen/cni")

    @property
    def kubernetes(self) -> Path:
        return self.at("/etc/kubernetes")

    @property
    def kubelet(self) -> Path:
        return self.at("/var/lib/kubelet")

    @property
    def kubelet_conf(self) -> Path:
        return self.kubernetes / "kubelet.conf"

    @property
    def bootstrap_kubelet_conf(self) -> Path:
        return self.kubernetes / "bootstrap-kubelet.conf"

    @property
    def admin_conf(self) -> Path:
        return self.kubernetes / "admin.conf"

    @property
    def instances(self) -> Path:
        return self.at("/var/lib/cloud/instances")
