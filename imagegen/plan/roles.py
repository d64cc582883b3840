"""What user-data is made of: a plan for each role, and the machines of known names."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from imagegen.frozen import dataclass


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
