"""What images are made of, and what Packer makes them with."""

from collections.abc import Mapping
from typing import Any

from imagegen.frozen import dataclass
from imagegen.lock import Lock


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementPlan:
    """What a policy allows: actions on resources, where the conditions (operator → key → values) hold."""

    name: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, tuple[str, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPlan:
    """All that a builder's account may do; `version` is that of the cloud's policy language."""

    file: str
    version: str
    named: bool
    statements: tuple[StatementPlan, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuilderPlan:
    """One of Packer's builders: `key` names it in the spec and its files, `type` in Packer.

    `base`: what the image starts from. `variables` are those of Packer, by name.
    """

    key: str
    type: str
    base: str
    disk_gib: int
    variables: Mapping[str, Any]
    policy: PolicyPlan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryPlan:
    """A vendor's package repository; its key is used only if it has the fingerprint."""

    url: str
    suite: str
    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyPlan:
    """Where a bake gets what it installs.

    `repositories` by what they hold, empty unless packages come from them; `mirrors` maps the beginnings of addresses
    to what is asked in their place; `bundle_sha256` is empty where the bundle is not pinned, `bundle_url` where it is
    brought to the machine.
    """

    source: str
    bundle_sha256: str
    bundle_url: str
    repositories: Mapping[str, RepositoryPlan]
    mirrors: Mapping[str, str]
    prepull: bool

    @property
    def is_offline(self) -> bool:
        """Whether the building machine needs no way out."""
        return self.source == "bundle"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimePlan:
    """containerd: its version, the form of its configuration, and where its programs lie."""

    version: str
    config_version: int
    folder: str
    binaries: tuple[str, ...]
    packages: tuple[str, ...]
    cni_folders: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestPlan:
    """A network plugin's own manifest: its version, the vendor's address of it, and the images that it asks for."""

    name: str
    version: str
    url: str
    images: tuple[str, ...]

    @property
    def target(self) -> str:
        """Where first boot looks for it."""
        return f"/usr/local/lib/imagegen/cni/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagePlan:
    """One image: what is in it, and how Packer makes it.

    `cni_manifest`: what no template makes; `family` names the package manager; `booted` says whether such an image is
    known to have become a node; `packages` are the distribution's, `held` those that no upgrade may touch;
    `kube_vip_image` is empty where no machine runs kube-vip; `hooks` are programs by their file's name, `lock` has this
    architecture, if there is one. `stock`: machines install it on themselves, by what user-data holds, or by what lies
    at `stock_url`.
    """

    name: str
    os: str
    family: str
    booted: bool
    architecture: str
    kubernetes_version: str
    kubernetes_packages: tuple[str, ...]
    sandbox_image: str
    cni: str
    flannel_image: str
    flannel_plugin_image: str
    cni_manifest: ManifestPlan | None
    kube_vip_image: str
    supply: SupplyPlan
    runtime: RuntimePlan
    python: str
    kubelet_arguments: str
    packages: tuple[str, ...]
    held: tuple[str, ...]
    modules: tuple[str, ...]
    sysctls: Mapping[str, str]
    enabled_units: tuple[str, ...]
    masked_units: tuple[str, ...]
    kubernetes_binaries: tuple[str, ...]
    cni_plugins: tuple[str, ...]
    settings: Mapping[str, str]
    hooks: Mapping[str, str]
    datasources: tuple[str, ...]
    time_servers: tuple[str, ...]
    stock: bool
    stock_url: str
    lock: Lock | None
    build_user: str
    tags: Mapping[str, str]
    builders: tuple[BuilderPlan, ...]

    @property
    def further_images(self) -> tuple[str, ...]:
        """What manifests ask for beside kubeadm's: the network plugin's, and kube-vip's."""
        cni: tuple[str, ...] = self.cni_manifest.images if self.cni_manifest else ()
        if self.cni == "flannel":
            cni = (self.flannel_plugin_image, self.flannel_image)
        return (*cni, self.kube_vip_image) if self.kube_vip_image else cni
