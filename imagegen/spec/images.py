"""Golden images, and how Packer makes them."""

from collections.abc import Mapping
from dataclasses import field

from imagegen.frozen import dataclass
from imagegen.spec.builders import (
    AlicloudBuilder,
    AmazonBuilder,
    AzureBuilder,
    GooglecomputeBuilder,
    OpenstackBuilder,
    QemuBuilder,
    VsphereBuilder,
)
from imagegen.spec.words import ImageSource, Install, Mirrors


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """Name of the cluster."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BakeHook:
    """A program of the user's own that is run while the image is baked."""

    name: str
    script: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfflineBundle:
    """The folder that a bake installs from; `url`: the machine downloads it from there."""

    sha256: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """How a machine that installs itself gets what it does that with."""

    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InlineImage:
    """The golden image of all nodes, as the Cluster document has it; its name is the cluster's unless it has one."""

    os: str
    name: str | None = None
    architecture: str = "amd64"
    install: Install = Install.BAKED
    stock: Stock = field(default_factory=Stock)
    source: ImageSource | None = None
    bundle: OfflineBundle | None = None
    mirrors: Mirrors = Mirrors.NONE
    prepull: bool = True
    containerd: str | None = None
    hooks: tuple[BakeHook, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    qemu: QemuBuilder = field(default_factory=QemuBuilder)
    alicloud: AlicloudBuilder | None = None
    amazon: AmazonBuilder | None = None
    googlecompute: GooglecomputeBuilder | None = None
    azure: AzureBuilder | None = None
    openstack: OpenstackBuilder | None = None
    vsphere: VsphereBuilder | None = None


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
    install: Install = Install.BAKED
    stock: Stock = field(default_factory=Stock)
    source: ImageSource | None = None
    bundle: OfflineBundle | None = None
    mirrors: Mirrors = Mirrors.NONE
    prepull: bool = True
    containerd: str | None = None
    hooks: tuple[BakeHook, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    qemu: QemuBuilder = field(default_factory=QemuBuilder)
    alicloud: AlicloudBuilder | None = None
    amazon: AmazonBuilder | None = None
    googlecompute: GooglecomputeBuilder | None = None
    azure: AzureBuilder | None = None
    openstack: OpenstackBuilder | None = None
    vsphere: VsphereBuilder | None = None


def source_of(image: Image | InlineImage) -> ImageSource:
    """Where its bake gets what it installs: what it says, or what follows from its bundle."""
    return image.source or (ImageSource.PACKAGES if image.bundle is None else ImageSource.BUNDLE)
