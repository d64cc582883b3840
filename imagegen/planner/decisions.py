"""The defaults that need a fact to be known, or another part of the spec."""

from __future__ import annotations

from dataclasses import replace

from imagegen.catalog import Catalog
from imagegen.lock import Provision
from imagegen.spec import (
    Availability,
    Cluster,
    ControlPlane,
    CredentialProviders,
    HighAvailability,
    Image,
    ImageKubernetes,
    InlineImage,
    KubeProxyMode,
    MetadataAccess,
    MetadataOptions,
    NodeName,
    NodePool,
    QemuBuilder,
    read_address,
    source_of,
    split_endpoint,
)

# VRRP's numbers go from 1 to 255 (RFC 5798, 5.2.3).
_LAST_ROUTER_ID = 255


def decide(cluster: Cluster, catalog: Catalog) -> Cluster:
    """The spec with those defaults written into it."""
    proxy = replace(cluster.network.kube_proxy, mode=_proxy_mode(cluster, catalog))
    inline = cluster.image
    if inline is not None:
        name = inline.name or cluster.metadata.name
        inline = replace(
            inline,
            name=name,
            source=source_of(inline),
            containerd=inline.containerd or catalog.image.containerd,
            qemu=_qemu(inline, catalog, _provision(cluster, name, inline.architecture)),
        )
    metadata = _metadata(cluster, catalog)
    return replace(
        cluster,
        # What is decided stands alone.
        extends=(),
        provider=replace(cluster.provider, metadata_options=metadata),
        image=inline,
        images={name: _decide_image(cluster, image, catalog) for name, image in cluster.images.items()},
        network=replace(cluster.network, kube_proxy=proxy),
        kubelet=replace(cluster.kubelet, credential_providers=_credential_providers(cluster, catalog)),
        control_plane=replace(
            cluster.control_plane,
            replicas=cluster.control_plane.size or None,
            node_name=_node_name(cluster.control_plane),
            high_availability=_high_availability(cluster, catalog),
            metadata_access=_metadata_access(cluster.control_plane, metadata),
        ),
        node_pools=tuple(replace(pool, replicas=pool.size, node_name=_node_name(pool)) for pool in cluster.node_pools),
    )


def _node_name(group: ControlPlane | NodePool) -> NodeName:
    return group.node_name or (NodeName.FIXED if group.nodes else NodeName.METADATA)


def _metadata(cluster: Cluster, catalog: Catalog) -> MetadataOptions:
    given = cluster.provider.metadata_options
    known = catalog.providers[cluster.provider.type].metadata
    return replace(given, addresses=tuple(dict.fromkeys((*known, *given.addresses))))


def _metadata_access(plane: ControlPlane, metadata: MetadataOptions) -> MetadataAccess:
    kept = metadata.addresses and not plane.existing
    return plane.metadata_access or (MetadataAccess.HOST if kept else MetadataAccess.PODS)


def _high_availability(cluster: Cluster, catalog: Catalog) -> HighAvailability:
    plane = cluster.control_plane
    loses = catalog.providers[cluster.provider.type].balancer_hairpin is False
    return replace(
        plane.high_availability,
        hairpin=plane.hairpin(balancer_loses=loses),
        virtual_router_id=plane.high_availability.virtual_router_id or _virtual_router_id(plane),
    )


def _virtual_router_id(plane: ControlPlane) -> int | None:
    """The last byte of the virtual address: as good as certainly another one for each cluster of a network."""
    address = read_address(split_endpoint(plane.endpoint)[0]) if plane.endpoint else None
    if address is None or plane.high_availability.type is not Availability.KEEPALIVED:
        return None
    return address.packed[-1] or _LAST_ROUTER_ID


def _decide_image(cluster: Cluster, image: Image, catalog: Catalog) -> Image:
    version = ImageKubernetes(version=cluster.version_of(image))
    provision = _provision(cluster, image.metadata.name, image.architecture)
    return replace(
        image,
        kubernetes=version,
        source=source_of(image),
        containerd=image.containerd or catalog.image.containerd,
        qemu=_qemu(image, catalog, provision),
    )


def _provision(cluster: Cluster, image: str, architecture: str) -> Provision:
    return cluster.locks[image].provision(architecture) if image in cluster.locks else Provision()


def _qemu(image: Image | InlineImage, catalog: Catalog, locked: Provision) -> QemuBuilder:
    base = locked.base
    if base is not None and image.qemu.source in (None, base.url):
        return replace(image.qemu, source=base.url, checksum=image.qemu.checksum or f"sha256:{base.sha256}")
    if image.qemu.source is not None:
        return image.qemu
    usual = catalog.vendors.base_image(catalog.systems[image.os], image.architecture)
    if usual is None:
        return image.qemu
    source, checksum = usual
    return replace(image.qemu, source=source, checksum=image.qemu.checksum or checksum)


def _credential_providers(cluster: Cluster, catalog: Catalog) -> CredentialProviders | None:
    given = cluster.kubelet.credential_providers
    if given is None:
        return None
    newest = catalog.credential_provider_apis(cluster.kubernetes.version)[-1]
    providers = (replace(provider, api_version=provider.api_version or newest) for provider in given.providers)
    return replace(given, providers=tuple(providers))


def _proxy_mode(cluster: Cluster, catalog: Catalog) -> KubeProxyMode:
    chosen = cluster.network.kube_proxy.mode
    if chosen is not None:
        return chosen
    usual = KubeProxyMode(catalog.require_kubernetes(cluster.kubernetes.version).default_proxy_mode)
    able = all(catalog.systems[image.os].nftables_mode is not False for image in cluster.used_images)
    return KubeProxyMode.IPTABLES if usual is KubeProxyMode.NFTABLES and not able else usual
