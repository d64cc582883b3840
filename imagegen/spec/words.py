"""The words that a spec chooses from."""

from __future__ import annotations

from enum import StrEnum


class ProviderType(StrEnum):
    """Where nodes run."""

    QEMU = "qemu"
    ALICLOUD = "alicloud"
    AWS = "aws"
    GCP = "gcp"
    AZURE = "azure"
    OPENSTACK = "openstack"
    VSPHERE = "vsphere"


class Install(StrEnum):
    """When a node gets what it needs beside its user-data."""

    BAKED = "baked"
    STOCK = "stock"


class ImageSource(StrEnum):
    """Where a bake gets what it installs."""

    BUNDLE = "bundle"
    PACKAGES = "packages"
    BINARIES = "binaries"


class Mirrors(StrEnum):
    """Profiles of mirrors that are asked in place of the vendors' and the distribution's own addresses."""

    NONE = "none"
    ALIYUN = "aliyun"


class HttpTokens(StrEnum):
    """Whether a cloud's metadata service answers without a token, in the clouds' words."""

    OPTIONAL = "optional"
    REQUIRED = "required"


class MetadataAccess(StrEnum):
    """Who reaches the metadata service from a machine: itself alone, or its pods as well."""

    HOST = "host"
    PODS = "pods"


class KubeProxyMode(StrEnum):
    """How kube-proxy implements Services."""

    IPVS = "ipvs"
    NFTABLES = "nftables"
    IPTABLES = "iptables"


class Cni(StrEnum):
    """Network plugins that imagegen applies."""

    FLANNEL = "flannel"
    CALICO = "calico"
    NONE = "none"


class NodeName(StrEnum):
    """Where a node's name comes from."""

    FIXED = "fixed"
    METADATA = "metadata"
    PREFIX_AND_INSTANCE_ID = "prefix+instance-id"


class UserData(StrEnum):
    """Whether the first control plane has user-data of its own, or all have the same."""

    PER_ROLE = "perRole"
    SHARED = "shared"


class Availability(StrEnum):
    """What stands before several control planes."""

    EXTERNAL = "external"
    KUBE_VIP = "kubeVip"
    KEEPALIVED = "keepalived"


class Hairpin(StrEnum):
    """Who answers a control plane's own requests at the endpoint: itself, or whoever has the endpoint."""

    LOCAL = "local"
    NONE = "none"


class Approver(StrEnum):
    """Who approves the certificates that kubelets ask for to serve with."""

    IMAGEGEN = "imagegen"
    EXTERNAL = "external"


class TokenRenewal(StrEnum):
    """Who makes expired tokens good again."""

    NONE = "none"
    SCHEDULED = "scheduled"


class CertificateRenewal(StrEnum):
    """Who renews what kubeadm has signed for a year: the control planes themselves, or somebody else."""

    AUTOMATIC = "automatic"
    NONE = "none"


class EncryptionAlgorithm(StrEnum):
    """Kinds of keys, in kubeadm's words."""

    ECDSA_P256 = "ECDSA-P256"
    RSA_2048 = "RSA-2048"
