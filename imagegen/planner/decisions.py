"""The defaults that need a fact to be known, or another part of the spec."""

from __future__ import annotations

from dataclasses import replace

from imagegen.catalog import Catalog
from imagegen.spec import Cluster, CredentialProviders, KubeProxyMode


def decide(cluster: Cluster, catalog: Catalog) -> Cluster:
    """The spec with those defaults written into it."""
    system = catalog.systems[cluster.image.os]
    qemu = cluster.image.qemu
    if qemu.source is None:
        source = system.genericcloud.format(architecture=cluster.image.architecture)
        qemu = replace(qemu, source=source, checksum=qemu.checksum or system.genericcloud_checksum)
    proxy = replace(cluster.network.kube_proxy, mode=_proxy_mode(cluster, catalog))
    credentials = _credential_providers(cluster, catalog)
    return replace(
        cluster,
        # What is decided stands alone.
        extends=(),
        image=replace(cluster.image, name=cluster.image.name or cluster.metadata.name, qemu=qemu),
        network=replace(cluster.network, kube_proxy=proxy),
        kubelet=replace(cluster.kubelet, credential_providers=credentials),
        control_plane=replace(cluster.control_plane, replicas=cluster.control_plane.size or None),
        node_pools=tuple(replace(pool, replicas=pool.size) for pool in cluster.node_pools),
    )


def _credential_providers(cluster: Cluster, catalog: Catalog) -> CredentialProviders | None:
    given = cluster.kubelet.credential_providers
    if given is None:
        return None
    newest = catalog.credential_provider_apis(cluster.kubernetes.version)[-1]
    providers = (replace(provider, api_version=provider.api_version or newest) for provider in given.providers)
    return replace(given, providers=tuple(providers))


def _proxy_mode(cluster: Cluster, catalog: Catalog) -> KubeProxyMode:
    facts = catalog.kubernetes_facts(cluster.kubernetes.version)
    chosen = cluster.network.kube_proxy.mode or KubeProxyMode(facts.default_proxy_mode if facts else "iptables")
    without_nftables = chosen is KubeProxyMode.NFTABLES and not catalog.systems[cluster.image.os].nftables_mode
    given = cluster.network.kube_proxy.mode is not None
    return KubeProxyMode.IPTABLES if without_nftables and not given else chosen
