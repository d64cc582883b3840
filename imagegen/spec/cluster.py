"""A whole spec."""

from collections.abc import Mapping
from dataclasses import field, fields
from typing import Any

from imagegen.frozen import dataclass
from imagegen.lock import Lock
from imagegen.spec.forms import Reference
from imagegen.spec.images import Image, InlineImage, Metadata
from imagegen.spec.machines import Admin, ControlPlane, Hooks, Node, NodeFile, NodePool
from imagegen.spec.settings import (
    Bootstrap,
    ClusterNetwork,
    Kubeadm,
    Kubelet,
    Kubernetes,
    Provider,
    Proxy,
    Registry,
    Runtime,
    Time,
)
from imagegen.spec.words import Install


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A whole spec; `images` are the Image documents beside the Cluster's, `locks` what images are locked to."""

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
    locks: Mapping[str, Lock] = field(default_factory=dict)
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
    def stock_images(self) -> tuple[str, ...]:
        """The names of those that nobody bakes: machines install them on themselves."""
        return tuple(image.metadata.name for image in self.used_images if image.install is Install.STOCK)

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
        same: dict[str, Any] = {each.name: getattr(inline, each.name) for each in fields(inline) if each.name != "name"}
        image = Image(api_version=self.api_version, kind="Image", metadata=Metadata(name=name), **same)
        return {name: image, **self.images}

    def version_of(self, image: Image) -> str:
        """The Kubernetes version that an image holds."""
        return image.kubernetes.version or self.kubernetes.version
