"""Settings of the cluster: where it runs, its network, its components, where it pulls from."""

from collections.abc import Mapping
from dataclasses import field
from ipaddress import IPv4Network
from typing import Any

from imagegen.frozen import dataclass
from imagegen.spec.forms import Address, Network
from imagegen.spec.words import (
    Approver,
    CertificateRenewal,
    Cni,
    EncryptionAlgorithm,
    HttpTokens,
    KubeProxyMode,
    ProviderType,
    TokenRenewal,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataOptions:
    """The metadata service of machines; the planner adds the addresses that are known of the provider."""

    http_tokens: HttpTokens | None = None
    addresses: tuple[Address, ...] = ()


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
class Runtime:
    """containerd."""

    drop_ins: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeProxy:
    """kube-proxy; `mode` is decided by the planner where it is not given."""

    mode: KubeProxyMode | None = None
    config: Mapping[str, Any] = field(default_factory=dict)


_POD_CIDR = IPv4Network("10.244.0.0/16")
_SERVICE_CIDR = IPv4Network("10.96.0.0/12")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterNetwork:
    """Address ranges, CNI plugin, kube-proxy."""

    node_cidrs: tuple[Network, ...]
    vpc_cidrs: tuple[Network, ...] = ()
    pod_cidr: Network = _POD_CIDR
    service_cidr: Network = _SERVICE_CIDR
    dns_domain: str = "cluster.local"
    cni: Cni = Cni.FLANNEL
    calico_version: str | None = None
    gateway: Address | None = None
    nameservers: tuple[Address, ...] = ()
    kube_proxy: KubeProxy = field(default_factory=KubeProxy)


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
class ServingCertificates:
    """Kubelets serve with certificates of the cluster's CA."""

    approver: Approver


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubelet:
    """KubeletConfiguration, passed through, and further flags."""

    config: Mapping[str, Any] = field(default_factory=dict)
    extra_args: Mapping[str, str] = field(default_factory=dict)
    credential_providers: CredentialProviders | None = None
    serving_certificates: ServingCertificates | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A control-plane component's further flags."""

    extra_args: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kubeadm:
    """kubeadm's own settings."""

    ignore_preflight_errors: tuple[str, ...] = ()
    encryption_algorithm: EncryptionAlgorithm = EncryptionAlgorithm.ECDSA_P256
    certificate_renewal: CertificateRenewal = CertificateRenewal.AUTOMATIC
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
