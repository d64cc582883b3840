"""What every phase is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bootstrap.clock import Clock
from bootstrap.identity import Identity, Node
from bootstrap.kubeadmfile import KubeadmFile
from bootstrap.masking import Masker
from bootstrap.paths import Paths
from bootstrap.phases import INIT, JOIN_MODE, SHARED
from bootstrap.report import Report
from bootstrap.state import State
from bootstrap.tools import Tools

MAIN_CONFIG, JOIN_CONFIG = "kubeadm.yaml", "kubeadm-join.yaml"


@dataclass
class Boot:
    """One run of first boot on one machine."""

    paths: Paths
    clock: Clock
    mask: Masker
    report: Report
    tools: Tools
    state: State
    identity: Identity = field(default_factory=Identity)
    own_addresses: tuple[str, ...] = ()
    # The interface of the node's address.
    link: str = ""
    # Whether the guard has heard nobody at the endpoint just now.
    alone: bool = False

    @property
    def node(self) -> Node:
        return self.identity.node

    @property
    def role(self) -> str:
        """What this machine is to be; with user-data for all control planes, what has been decided of it."""
        return self.state.role or self.node.role

    @property
    def mode(self) -> str:
        """Whether this machine starts the cluster or joins it; open on the first node until the guard has looked."""
        return self.state.mode if self.role == INIT else JOIN_MODE

    @property
    def staged_configs(self) -> list[str]:
        """What user-data brought: both ways into the cluster, for a machine that may have to start it."""
        return [MAIN_CONFIG, JOIN_CONFIG] if self.node.role in {INIT, SHARED} else [MAIN_CONFIG]

    @property
    def config_file(self) -> Path:
        """The settled configuration that kubeadm is to run with."""
        joins = JOIN_CONFIG in self.staged_configs and self.mode == JOIN_MODE
        return self.paths.work / (JOIN_CONFIG if joins else MAIN_CONFIG)

    @property
    def config(self) -> KubeadmFile:
        return KubeadmFile.read(self.config_file)

    def kubectl(self, kubeconfig: Path) -> tuple[str, ...]:
        """The start of a command as this user of the cluster; what it caches goes with the rest of the work."""
        return ("kubectl", "--kubeconfig", str(kubeconfig), "--cache-dir", str(self.paths.work / "cache"))

    @property
    def node_name(self) -> str:
        return self.config.node_name or self.hostname

    @property
    def hostname(self) -> str:
        return self.paths.hostname.read_text().strip().lower()

    def to_disk(self) -> None:
        """Brings to the disk what cloud-init, kubeadm and the kubelet have written: they do not wait for that."""
        folders = (self.paths.node.parent, self.paths.home, self.paths.kubernetes, self.paths.kubelet)
        self.tools.ask("sync", "--file-system", *(str(folder) for folder in folders if folder.exists()))

    def report_identity(self) -> None:
        self.report.facts.update(contract=self.identity.contract, role=self.role, tries=self.state.total_tries)
