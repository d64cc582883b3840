"""What each role's user-data says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC

from imagegen.bundle import CONTROL_PLANE, Authorities, Bundle
from imagegen.catalog import ImageFacts, KubernetesFacts
from imagegen.plan import (
    AdminPlan,
    DiskPlan,
    FilePlan,
    KubeadmPlan,
    NodeNamePlan,
    RegistryPlan,
    RoleKind,
    RolePlan,
    TimePlan,
    TokenPlan,
)
from imagegen.planner.components import plan_components
from imagegen.planner.credentials import credential_files, credential_flags
from imagegen.planner.files import PATCHES, plan_files
from imagegen.planner.keepalived import plan_keepalived
from imagegen.planner.kube_vip import kube_vip_files, kube_vip_init
from imagegen.planner.metadata import metadata_files
from imagegen.planner.serving import approver_files, serving_config
from imagegen.planner.signing import needs_signing_file
from imagegen.spec import (
    Availability,
    CertificateRenewal,
    Cluster,
    ControlPlane,
    Disk,
    Hairpin,
    NodeName,
    NodePool,
    ProviderType,
    Taint,
    UserData,
    read_address,
    split_endpoint,
)

_ETCD_DATA = "/var/lib/etcd"


def worker_role(pool: NodePool) -> str:
    """Name of a pool's role."""
    return f"worker-{pool.name}"


def plan_roles(cluster: Cluster, facts: KubernetesFacts, bundle: Bundle, content: ImageFacts) -> tuple[RolePlan, ...]:
    """The control planes' role or roles, and one for each pool."""
    kubeadm = _kubeadm(cluster, facts, bundle)
    patched = replace(kubeadm, patches_folder=PATCHES) if needs_signing_file(cluster, bundle) else kubeadm
    shared = credential_files(cluster, facts)
    # A control plane that was made elsewhere is nobody's role.
    kinds = _kinds(cluster) if bundle.authorities else ()
    images = cluster.references
    theirs = (*shared, *kube_vip_files(cluster, content.kube_vip_image), *approver_files(cluster))
    planes = tuple(
        replace(
            _role(cluster, patched, bundle, kind, theirs, name=kind, pool=CONTROL_PLANE, image=images["controlPlane",]),
            kube_vip_init=kube_vip_init(cluster, facts, kind),
        )
        for kind in kinds
    )
    workers = tuple(
        _role(
            cluster,
            kubeadm,
            bundle,
            RoleKind.WORKER,
            shared,
            name=worker_role(pool),
            pool=pool.name,
            image=images["nodePools", number],
            node_pool=pool,
        )
        for number, pool in enumerate(cluster.node_pools)
    )
    return planes + workers


def _kinds(cluster: Cluster) -> tuple[RoleKind, ...]:
    if cluster.control_plane.user_data is UserData.SHARED:
        return (RoleKind.CONTROL_PLANE,)
    return (RoleKind.CONTROL_PLANE_INIT, RoleKind.CONTROL_PLANE_JOIN)


def _role(
    cluster: Cluster,
    kubeadm: KubeadmPlan,
    bundle: Bundle,
    kind: RoleKind,
    shared: tuple[FilePlan, ...],
    *,
    name: str,
    pool: str,
    image: str | None,
    node_pool: NodePool | None = None,
) -> RolePlan:
    group = node_pool or cluster.control_plane
    taints = node_pool.taints or None if node_pool else cluster.control_plane.taints
    hairpin = kind is not RoleKind.WORKER and cluster.control_plane.high_availability.hairpin is Hairpin.LOCAL
    return RolePlan(
        name=name,
        kind=kind,
        pool=pool,
        image=image or "",
        node_name=_node_name(cluster, group, pool),
        cluster=cluster.metadata.name,
        node_cidrs=tuple(str(cidr) for cidr in cluster.network.node_cidrs),
        not_before=bundle.not_before.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        cni=cluster.network.cni,
        kubeadm=kubeadm,
        join_token=bundle.tokens[pool],
        init_tokens=_tokens(cluster, bundle) if kind.may_initialise else (),
        first_node=cluster.control_plane.first if kind is RoleKind.CONTROL_PLANE else (),
        hairpin=hairpin,
        renews=cluster.kubeadm.certificate_renewal is CertificateRenewal.AUTOMATIC,
        kube_vip_init="",
        keepalived=plan_keepalived(cluster) if kind is not RoleKind.WORKER else None,
        # An address is put onto the loopback interface.
        edits_hosts=hairpin and read_address(split_endpoint(cluster.control_plane.address)[0]) is None,
        labels=node_pool.labels if node_pool else {},
        taints=_taints(taints),
        pki=_pki(bundle, bundle.authorities) if kind is not RoleKind.WORKER and bundle.authorities else {},
        ignore_preflight_errors=_ignored(cluster, kind, group.disks),
        disks=tuple(
            DiskPlan(device=disk.device, mount_path=disk.mount_path, filesystem=disk.filesystem) for disk in group.disks
        ),
        files=(*shared, *metadata_files(cluster, group), *plan_files(cluster, bundle, kind, pool)),
        registries=tuple(
            RegistryPlan(host=registry.host, mirrors=registry.mirrors, ca_certificate=registry.ca_certificate)
            for registry in cluster.registries
        ),
        trusted_cas=cluster.trusted_cas,
        time=_time(cluster, kind),
        admin=_admin(cluster),
    )


def _taints(taints: tuple[Taint, ...] | None) -> tuple[dict[str, str], ...] | None:
    if taints is None:
        return None
    return tuple({"key": taint.key, "value": taint.value, "effect": taint.effect} for taint in taints)


def _node_name(cluster: Cluster, group: ControlPlane | NodePool, pool: str) -> NodeNamePlan:
    source = group.node_name or NodeName.METADATA
    # A NoCloud seed names its machine itself; elsewhere the metadata would name it again on every boot.
    keeps = source is NodeName.PREFIX_AND_INSTANCE_ID or (
        source is NodeName.FIXED and cluster.provider.type is not ProviderType.QEMU
    )
    prefixed = source is NodeName.PREFIX_AND_INSTANCE_ID
    prefix = group.node_name_prefix or f"{cluster.metadata.name}-{pool}-"
    return NodeNamePlan(source=source, prefix=prefix if prefixed else "", keeps=keeps)


def _ignored(cluster: Cluster, kind: RoleKind, disks: tuple[Disk, ...]) -> tuple[str, ...]:
    given = cluster.kubeadm.ignore_preflight_errors
    # `all` stands alone.
    if "all" in {name.lower() for name in given}:
        return given
    # A new ext4 file system holds lost+found, and kubeadm wants etcd's folder empty.
    folders = [_ETCD_DATA for disk in disks if disk.mount_path == _ETCD_DATA]
    if kind is not RoleKind.WORKER and cluster.control_plane.high_availability.type is Availability.KUBE_VIP:
        # Older kubeadm releases want it empty before a join.
        folders.append("/etc/kubernetes/manifests")
    return (*given, *(f"DirAvailable-{folder.replace('/', '-')}" for folder in folders))


def _tokens(cluster: Cluster, bundle: Bundle) -> tuple[TokenPlan, ...]:
    names = (CONTROL_PLANE, *(pool.name for pool in cluster.node_pools))
    return tuple(
        TokenPlan(token=bundle.tokens[name], ttl=cluster.bootstrap.token_ttl, description=f"imagegen: {name}")
        for name in names
    )


def _pki(bundle: Bundle, authorities: Authorities) -> dict[str, str]:
    # The whole set that makes `kubeadm join` skip download-certs, so that no certificate-key is needed.
    return {
        "ca.crt": bundle.ca_certificates,
        "ca.key": authorities.cluster_ca.key,
        "etcd/ca.crt": authorities.etcd_ca.certificate,
        "etcd/ca.key": authorities.etcd_ca.key,
        "front-proxy-ca.crt": authorities.front_proxy_ca.certificate,
        "front-proxy-ca.key": authorities.front_proxy_ca.key,
        "sa.pub": authorities.service_account.public,
        "sa.key": authorities.service_account.private,
    }


def _admin(cluster: Cluster) -> AdminPlan | None:
    admin = cluster.admin
    return AdminPlan(user=admin.user, ssh_authorized_keys=admin.ssh_authorized_keys) if admin else None


def _time(cluster: Cluster, kind: RoleKind) -> TimePlan | None:
    if cluster.time is None:
        return None
    ranges = tuple(str(cidr) for cidr in cluster.network.node_cidrs)
    serves = cluster.time.serve and kind is not RoleKind.WORKER
    planes = tuple(str(node.address) for node in cluster.control_plane.nodes)
    # Workers follow the control planes that serve; those follow the world.
    follow = planes if cluster.time.serve and planes and kind is RoleKind.WORKER else cluster.time.servers
    return TimePlan(servers=follow, serve_to=ranges if serves else ())


def _kubeadm(cluster: Cluster, facts: KubernetesFacts, bundle: Bundle) -> KubeadmPlan:
    network = cluster.network
    return KubeadmPlan(
        api_version=facts.kubeadm_api,
        kubernetes_version=cluster.kubernetes.version,
        image_repository=cluster.kubernetes.image_repository,
        endpoint=cluster.control_plane.address,
        pod_cidr=str(network.pod_cidr),
        service_cidr=str(network.service_cidr),
        dns_domain=network.dns_domain,
        cert_sans=cluster.control_plane.cert_sans,
        encryption_algorithm=cluster.kubeadm.encryption_algorithm,
        ca_hashes=bundle.ca_hashes,
        components=plan_components(cluster),
        patches_folder=PATCHES if cluster.kubeadm.patches else None,
        kubelet={**serving_config(cluster), **cluster.kubelet.config},
        kubelet_args={**cluster.kubelet.extra_args, **credential_flags(cluster)},
        kube_proxy={"mode": str(network.kube_proxy.mode), **network.kube_proxy.config},
    )
