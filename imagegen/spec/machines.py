"""Machines: control planes, pools, and what is the same on each of them."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from imagegen.frozen import dataclass
from imagegen.spec.forms import Address, read_address, split_endpoint
from imagegen.spec.words import Availability, Hairpin, MetadataAccess, NodeName, UserData


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A machine whose name and address are known beforehand."""

    name: str
    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A further disk of a machine."""

    device: str
    mount_path: str
    filesystem: str = "ext4"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingControlPlane:
    """A control plane that was made elsewhere; several CA certificates while one replaces another."""

    endpoint: str
    ca_certificate: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Taint:
    """A node taint."""

    key: str
    effect: str
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HighAvailability:
    """What stands before several control planes; what else is not given is decided by the planner."""

    type: Availability = Availability.EXTERNAL
    hairpin: Hairpin | None = None
    virtual_router_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EtcdSnapshots:
    """Snapshots that each control plane keeps; `interval` in minutes or hours."""

    interval: str = "6h"
    keep: int = 8
    directory: str = "/var/lib/etcd-snapshots"


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPlane:
    """The control planes: ours, with an `endpoint`, or `existing` ones that pools join; no `taints`: kubeadm's own.

    `metadata_access` is decided by the planner where it is not given.
    """

    endpoint: str | None = None
    high_availability: HighAvailability = field(default_factory=HighAvailability)
    image_ref: str | None = None
    node_name: NodeName | None = None
    node_name_prefix: str | None = None
    existing: ExistingControlPlane | None = None
    user_data: UserData = UserData.PER_ROLE
    first_node: str | None = None
    replicas: int | None = None
    nodes: tuple[Node, ...] = ()
    metadata_access: MetadataAccess | None = None
    taints: tuple[Taint, ...] | None = None
    cert_sans: tuple[str, ...] = ()
    disks: tuple[Disk, ...] = ()
    audit_policy: Mapping[str, Any] | None = None
    encrypt_secrets: bool = False
    etcd_snapshots: EtcdSnapshots | None = None

    @property
    def size(self) -> int:
        """How many control planes of ours there are."""
        return 0 if self.existing else self.replicas or len(self.nodes) or 1

    @property
    def first(self) -> tuple[str, ...]:
        """Name and address, or either, of the control plane that starts the cluster, as far as the spec says it."""
        given = self.first_node
        address = read_address(given) if given else None
        fitting = [node for node in self.nodes if given in {None, node.name} or address == node.address]
        if fitting:
            return fitting[0].name, str(fitting[0].address)
        return (str(address or given),) if given else ()

    @property
    def is_endpoint_a_node(self) -> bool:
        """Whether the endpoint is the address of a listed control plane, or its name."""
        host = split_endpoint(self.endpoint)[0] if self.endpoint else None
        return host in {name for node in self.nodes for name in (str(node.address), node.name)}

    def hairpin(self, *, balancer_loses: bool) -> Hairpin:
        """What is given; else by whether the provider's balancer loses what a machine sends to itself."""
        outside = self.high_availability.type is Availability.EXTERNAL
        needed = outside and balancer_loses and self.endpoint is not None and not self.is_endpoint_a_node
        return self.high_availability.hairpin or (Hairpin.LOCAL if needed else Hairpin.NONE)

    @property
    def address(self) -> str:
        """host:port of the API server; the rules see to it that there is one."""
        return (self.existing.endpoint if self.existing else self.endpoint) or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """Bounds of an autoscaler."""

    min: int
    max: int
    node_template_tags: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePool:
    """Workers that share user-data and a token."""

    name: str
    image_ref: str | None = None
    node_name: NodeName | None = None
    node_name_prefix: str | None = None
    replicas: int | None = None
    nodes: tuple[Node, ...] = ()
    scaling: Scaling | None = None
    metadata_access: MetadataAccess = MetadataAccess.PODS
    disks: tuple[Disk, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()

    @property
    def size(self) -> int:
        """How many machines are meant to run."""
        if self.replicas is not None:
            return self.replicas
        return self.scaling.min if self.scaling else len(self.nodes) or 1

    @property
    def most(self) -> int:
        """How many machines there may be."""
        return max(self.size, self.scaling.max if self.scaling else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A program of the user's own that is run at one point; no `roles`: on all nodes."""

    name: str
    script: str
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What nodes run before and after kubeadm."""

    pre_kubeadm: tuple[Hook, ...] = ()
    post_kubeadm: tuple[Hook, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeFile:
    """A further file on nodes; no `roles`: on all of them."""

    path: str
    content: str
    permissions: str = "0644"
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Admin:
    """The account that may log in."""

    ssh_authorized_keys: tuple[str, ...]
    user: str = "admin"
