"""What the user asked for: the checked spec, with the defaults that need no fact to be known."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

Address = IPv4Address | IPv6Address
Reference = tuple[str | int, ...]
Network = IPv4Network | IPv6Network

_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_PLURAL_INITIALISMS = {
    "nodeCIDRs": "node_cidrs",
    "certSANs": "cert_sans",
    "trustedCAs": "trusted_cas",
    "vpcCIDRs": "vpc_cidrs",
}
_POD_CIDR = IPv4Network("10.244.0.0/16")
_SERVICE_CIDR = IPv4Network("10.96.0.0/12")
_HOST = re.compile(r"^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$")


def field_name(key: str) -> str:
    """The field that a spec's key fills: `memoryMiB` → `memory_mib`."""
    return _PLURAL_INITIALISMS.get(key) or _WORDS.sub("_", key.replace("MiB", "Mib").replace("GiB", "Gib")).lower()


def read_hostname(text: str) -> str:
    """The text, if it is a DNS name in lower case; `ValueError` otherwise."""
    if not _HOST.fullmatch(text):
        raise ValueError("not a host name")
    return text


def split_endpoint(endpoint: str) -> tuple[str, int]:
    """Host and port of `host:port` (IPv6 in brackets); `ValueError` for anything else."""
    host, colon, port = endpoint.rpartition(":")
    if not colon or not port.isdigit() or not 0 < int(port) < 1 << 16:
        raise ValueError("no port")
    if host.startswith("["):
        return str(ip_address(host.removeprefix("[").removesuffix("]"))), int(port)
    return read_hostname(host), int(port)


class ProviderType(StrEnum):
    """Where nodes run."""

    QEMU = "qemu"
    ALICLOUD = "alicloud"
    AWS = "aws"


class HttpTokens(StrEnum):
    """Whether a cloud's metadata service answers without a token, in the clouds' words."""

    OPTIONAL = "optional"
    REQUIRED = "required"


class KubeProxyMode(StrEnum):
    """How kube-proxy implements Services."""

    IPVS = "ipvs"
    NFTABLES = "nftables"
    IPTABLES = "iptables"


class Cni(StrEnum):
    """Network plugins that imagegen applies."""

    FLANNEL = "flannel"
    NONE = "none"


class NodeName(StrEnum):
    """Where a node's name comes from."""

    FIXED = "fixed"
    METADATA = "metadata"
    PREFIX_AND_INSTANCE_ID = "prefix+instance-id"


class TokenRenewal(StrEnum):
    """Who makes expired tokens good again."""

    NONE = "none"
    SCHEDULED = "scheduled"


class EncryptionAlgorithm(StrEnum):
    """Kinds of keys, in kubeadm's words."""

    ECDSA_P256 = "ECDSA-P256"
    RSA_2048 = "RSA-2048"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """Name of the cluster."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataOptions:
    """The metadata service of machines."""

    http_tokens: HttpTokens | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """The cloud or hypervisor."""

    type: ProviderType
    region: str | None = None
    metadata_options: MetadataOptions = field(default_factory=MetadataOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubernetes:
    """The Kubernetes version and where its images come from."""

    version: str
    image_repository: str = "registry.k8s.io"


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
class BakeHook:
    """A program of the user's own that is run while the image is baked."""

    name: str
    script: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfflineBundle:
    """The folder that a bake installs from."""

    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QemuBuilder:
    """Packer's qemu builder."""

    source: str | None = None
    checksum: str | None = None
    cpus: int = 2
    memory_mib: int = 2048
    disk_gib: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class AlicloudBuilder:
    """Packer's alicloud-ecs builder."""

    source_image: str
    instance_type: str
    vpc: str
    vswitch: str
    security_group: str
    private_address: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class InlineImage:
    """The golden image of all nodes, as the Cluster document has it; its name is the cluster's unless it has one."""

    os: str
    name: str | None = None
    architecture: str = "amd64"
    bundle: OfflineBundle = field(default_factory=OfflineBundle)
    hooks: tuple[BakeHook, ...] = ()
    qemu: QemuBuilder = field(default_factory=QemuBuilder)
    alicloud: AlicloudBuilder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageKubernetes:
    """The Kubernetes that is baked; the cluster's where it says nothing."""

    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A golden image with a document of its own, which clusters and pools refer to by its name."""

    api_version: str
    kind: str
    metadata: Metadata
    os: str
    kubernetes: ImageKubernetes = field(default_factory=ImageKubernetes)
    architecture: str = "amd64"
    bundle: OfflineBundle = field(default_factory=OfflineBundle)
    hooks: tuple[BakeHook, ...] = ()
    qemu: QemuBuilder = field(default_factory=QemuBuilder)
    alicloud: AlicloudBuilder | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """containerd."""

    drop_ins: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeProxy:
    """kube-proxy; `mode` is decided by the planner where it is not given."""

    mode: KubeProxyMode | None = None
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterNetwork:
    """Address ranges, CNI plugin, kube-proxy."""

    node_cidrs: tuple[Network, ...]
    vpc_cidrs: tuple[Network, ...] = ()
    pod_cidr: Network = _POD_CIDR
    service_cidr: Network = _SERVICE_CIDR
    dns_domain: str = "cluster.local"
    cni: Cni = Cni.FLANNEL
    gateway: Address | None = None
    nameservers: tuple[Address, ...] = ()
    kube_proxy: KubeProxy = field(default_factory=KubeProxy)


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
class ControlPlane:
    """The control planes: ours, with an `endpoint`, or `existing` ones that pools join."""

    endpoint: str | None = None
    image_ref: str | None = None
    node_name: NodeName | None = None
    node_name_prefix: str | None = None
    existing: ExistingControlPlane | None = None
    replicas: int | None = None
    nodes: tuple[Node, ...] = ()
    cert_sans: tuple[str, ...] = ()
    disks: tuple[Disk, ...] = ()
    audit_policy: Mapping[str, Any] | None = None
    encrypt_secrets: bool = False

    @property
    def size(self) -> int:
        """How many control planes of ours there are."""
        return 0 if self.existing else self.replicas or len(self.nodes) or 1

    @property
    def address(self) -> str:
        """host:port of the API server; the rules see to it that there is one."""
        return (self.existing.endpoint if self.existing else self.endpoint) or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taint:
    """A node taint."""

    key: str
    effect: str
    value: str = ""


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
class Bootstrap:
    """How nodes join; the TTL is a Go duration."""

    token_ttl: str = "24h0m0s"  # noqa: S105  a duration
    token_renewal: TokenRenewal = TokenRenewal.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentVariable:
    """A variable that a program sees."""

    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialProvider:
    """A program that the kubelet asks for a registry's credentials; `api_version` is decided by the planner."""

    name: str
    match_images: tuple[str, ...]
    default_cache_duration: str
    api_version: str | None = None
    args: tuple[str, ...] = ()
    env: tuple[EnvironmentVariable, ...] = ()
    token_attributes: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialProviders:
    """The kubelet's credential providers, and where their programs lie."""

    providers: tuple[CredentialProvider, ...]
    bin_dir: str = "/usr/local/lib/kubelet/credential-providers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubelet:
    """KubeletConfiguration, passed through, and further flags."""

    config: Mapping[str, Any] = field(default_factory=dict)
    extra_args: Mapping[str, str] = field(default_factory=dict)
    credential_providers: CredentialProviders | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A control-plane component's further flags."""

    extra_args: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubeadm:
    """kubeadm's own settings."""

    ignore_preflight_errors: tuple[str, ...] = ()
    encryption_algorithm: EncryptionAlgorithm = EncryptionAlgorithm.ECDSA_P256
    api_server: Component = field(default_factory=Component)
    controller_manager: Component = field(default_factory=Component)
    scheduler: Component = field(default_factory=Component)
    etcd: Component = field(default_factory=Component)
    patches: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """How images of one registry are pulled."""

    host: str
    mirrors: tuple[str, ...] = ()
    ca_certificate: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """The proxy that images are pulled through."""

    http: str | None = None
    https: str | None = None
    no_proxy: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """Time servers."""

    servers: tuple[str, ...] = ()
    serve: bool = False


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A whole spec; `images` are the Image documents beside the Cluster's."""

    api_version: str
    kind: str
    metadata: Metadata
    provider: Provider
    kubernetes: Kubernetes
    network: ClusterNetwork
    control_plane: ControlPlane
    image: InlineImage | None = None
    image_ref: str | None = None
    images: Mapping[str, Image] = field(default_factory=dict)
    extends: tuple[str, ...] = ()
    runtime: Runtime = field(default_factory=Runtime)
    node_pools: tuple[NodePool, ...] = ()
    bootstrap: Bootstrap = field(default_factory=Bootstrap)
    kubelet: Kubelet = field(default_factory=Kubelet)
    kubeadm: Kubeadm = field(default_factory=Kubeadm)
    registries: tuple[Registry, ...] = ()
    proxy: Proxy | None = None
    trusted_cas: tuple[str, ...] = ()
    time: Time | None = None
    files: tuple[NodeFile, ...] = ()
    hooks: Hooks = field(default_factory=Hooks)
    admin: Admin | None = None

    @property
    def fixed_nodes(self) -> tuple[Node, ...]:
        """Every machine with a known name and address, control planes first."""
        pools = tuple(node for pool in self.node_pools for node in pool.nodes)
        return self.control_plane.nodes + pools

    @property
    def references(self) -> Mapping[Reference, str | None]:
        """Which image each kind of machine boots, by the place of the reference; None: there is none."""
        own = (self.image.name or self.metadata.name) if self.image else None
        usual = self.image_ref or own
        pools: dict[Reference, str | None] = {
            ("nodePools", number): pool.image_ref or usual for number, pool in enumerate(self.node_pools)
        }
        if self.control_plane.existing:
            return pools
        return {("controlPlane",): self.control_plane.image_ref or usual, **pools}

    @property
    def used_images(self) -> tuple[Image, ...]:
        """The images that machines of this cluster boot, each once, the control planes' first."""
        known = self.known_images
        names = dict.fromkeys(name for name in self.references.values() if name in known)
        return tuple(known[name] for name in names if name)

    @property
    def systems(self) -> tuple[str, ...]:
        """The operating systems of its machines, each once."""
        return tuple(dict.fromkeys(image.os for image in self.used_images))

    @property
    def known_images(self) -> Mapping[str, Image]:
        """Every image that can be referred to, by name: the Image documents and the one in the Cluster document."""
        if self.image is None:
            return self.images
        inline = self.image
        name = inline.name or self.metadata.name
        image = Image(
            api_version=self.api_version,
            kind="Image",
            metadata=Metadata(name=name),
            os=inline.os,
            architecture=inline.architecture,
            bundle=inline.bundle,
            hooks=inline.hooks,
            qemu=inline.qemu,
            alicloud=inline.alicloud,
        )
        return {name: image, **self.images}

    def version_of(self, image: Image) -> str:
        """The Kubernetes version that an image holds."""
        return image.kubernetes.version or self.kubernetes.version
