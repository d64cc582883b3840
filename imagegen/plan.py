"""Every decision made: what renderers turn into files, with nothing left to default."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from imagegen.frozen import dataclass
from imagegen.lock import Lock

CONTRACT = 2
"""What image and user-data promise each other on the node; a change that breaks the other half raises it."""

STOCK_FOLDER = "/var/lib/imagegen/stock"
"""Where user-data puts what a machine installs itself with; first boot takes it out of cloud-init's copies."""
STOCK_PAYLOAD = f"{STOCK_FOLDER}/payload"
STOCK_WORK = "/var/tmp/imagegen"  # noqa: S108  the scripts of the bake know the place; it is made private
"""Where a machine unpacks that."""


class RoleKind(StrEnum):
    """What a node does at first boot."""

    CONTROL_PLANE_INIT = "control-plane-init"
    CONTROL_PLANE_JOIN = "control-plane-join"
    CONTROL_PLANE = "control-plane"
    WORKER = "worker"

    @property
    def may_initialise(self) -> bool:
        """Whether a machine with this user-data may have to start the cluster."""
        return self in {RoleKind.CONTROL_PLANE_INIT, RoleKind.CONTROL_PLANE}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TokenPlan:
    """A bootstrap token that `kubeadm init` creates; `ttl` is a Go duration."""

    token: str
    ttl: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentPlan:
    """A control-plane component: further flags, and host paths (name → path) mounted where they lie."""

    extra_args: Mapping[str, str]
    read_only_files: Mapping[str, str]
    writable_folders: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeadmPlan:
    """What kubeadm's configuration says about the whole cluster."""

    api_version: str
    kubernetes_version: str
    image_repository: str
    endpoint: str
    pod_cidr: str
    service_cidr: str
    dns_domain: str
    cert_sans: tuple[str, ...]
    encryption_algorithm: str
    ca_hashes: tuple[str, ...]
    components: Mapping[str, ComponentPlan]
    patches_folder: str | None
    kubelet: Mapping[str, Any]
    kubelet_args: Mapping[str, str]
    kube_proxy: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FilePlan:
    """A file on the node; a content that is a mapping is written as YAML. `mode` as cloud-init takes it."""

    path: str
    content: str | Mapping[str, Any]
    mode: str = "0644"
    append: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeNamePlan:
    """Where first boot takes the node's name from; `keeps`: cloud-init must leave the host name alone."""

    source: str
    prefix: str
    keeps: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskPlan:
    """A disk that is formatted, if it is empty, and mounted."""

    device: str
    mount_path: str
    filesystem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryPlan:
    """How containerd pulls from a registry; no certificate: the system's own are trusted."""

    host: str
    mirrors: tuple[str, ...]
    ca_certificate: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepalivedPlan:
    """The endpoint on the control planes themselves: haproxy on each, and an address that keepalived keeps on one.

    `address` is the virtual one as that of a single host, `everywhere` every address of its family as haproxy writes
    it; `planes`: name → address of those that haproxy passes connections on to, at `api_port`.
    """

    address: str
    everywhere: str
    port: int
    api_port: int
    virtual_router_id: int
    planes: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePlan:
    """Time servers that chrony follows, and the networks it serves."""

    servers: tuple[str, ...]
    serve_to: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminPlan:
    """The account that may log in."""

    user: str
    ssh_authorized_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class RolePlan:
    """One role: everything that its user-data says.

    `image` is the name of the image that it boots from; `join_token` is what the role joins with; `init_tokens` are
    created by the role that may initialise; `first_node` are names and addresses of the machine that does, where all
    control planes have one role; `hairpin`: its machines answer the endpoint themselves; `edits_hosts`: by a line
    in /etc/hosts; `renews`: they renew their certificates; `kube_vip_init`: the kubeconfig that kube-vip has while the
    cluster is started; `keepalived`: how its machines keep the endpoint, if they do; no `taints`: those that kubeadm
    gives the role by itself; `pki` maps paths below the staged PKI folder to PEM, empty for workers.
    """

    name: str
    kind: RoleKind
    pool: str
    image: str
    node_name: NodeNamePlan
    cluster: str
    node_cidrs: tuple[str, ...]
    not_before: str
    cni: str
    kubeadm: KubeadmPlan
    join_token: str
    init_tokens: tuple[TokenPlan, ...]
    first_node: tuple[str, ...]
    hairpin: bool
    renews: bool
    edits_hosts: bool
    kube_vip_init: str
    keepalived: KeepalivedPlan | None
    labels: Mapping[str, str]
    taints: tuple[Mapping[str, str], ...] | None
    pki: Mapping[str, str]
    ignore_preflight_errors: tuple[str, ...]
    disks: tuple[DiskPlan, ...]
    files: tuple[FilePlan, ...]
    registries: tuple[RegistryPlan, ...]
    trusted_cas: tuple[str, ...]
    time: TimePlan | None
    admin: AdminPlan | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePlan:
    """A machine with a known name and address: `address` with its prefix length."""

    name: str
    role: str
    instance_id: str
    address: str
    gateway: str | None
    nameservers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPlan:
    """How user-data reaches a machine; `limit` in bytes before base64, 0 for none.

    `http_tokens`: what machines are to be started with; None is the cloud's own default.
    """

    provider: str
    limit: int
    encoding: str
    gzip: bool
    http_tokens: str | None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class StockPlan:
    """What machines install themselves with: files packed into `payload`, in user-data unless there is a `url` for it.

    `sha256` is that of the files before they are compressed: compressors differ, and user-data is always the same.
    `steps` are the scripts that are run, in order; `paths` are those of the files that they put in place. `start`,
    `unit`, `hold`, `loader` and `download` are the texts of what brings it about.
    """

    payload: bytes
    sha256: str
    url: str
    fingerprint: str
    masked_units: tuple[str, ...]
    steps: tuple[str, ...]
    paths: frozenset[str]
    start: str
    unit: str
    hold: str
    loader: str
    download: str

    @property
    def name(self) -> str:
        """Of the payload where it is served: another content is another file."""
        return f"{self.sha256}.json.xz"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterPlan:
    """A whole cluster."""

    name: str
    kubernetes_version: str
    admin_group: str
    endpoint: str
    delivery: DeliveryPlan
    images: tuple[ImagePlan, ...]
    roles: tuple[RolePlan, ...]
    nodes: tuple[NodePlan, ...]
