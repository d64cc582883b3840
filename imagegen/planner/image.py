"""What goes into the image, and how it is made."""

from __future__ import annotations

from imagegen.catalog import Catalog
from imagegen.plan import AlicloudPlan, ImagePlan, QemuPlan
from imagegen.planner.hooks import numbered
from imagegen.spec import Cluster, Cni, Image, Install

BUILD_USER = "imagegen-build"


def plan_image(cluster: Cluster, image: Image, catalog: Catalog) -> ImagePlan:
    """An image that nodes of the cluster boot."""
    content, version = catalog.image, cluster.version_of(image)
    facts = catalog.require_kubernetes(version)
    sandbox = f"{cluster.kubernetes.image_repository}/pause:{facts.pause}"
    provider = catalog.providers[cluster.provider.type]
    return ImagePlan(
        name=image.metadata.name,
        os=image.os,
        architecture=image.architecture,
        kubernetes_version=version,
        sandbox_image=sandbox,
        cni=cluster.network.cni,
        flannel_image=content.flannel_image,
        flannel_plugin_image=content.flannel_plugin_image,
        packages=content.packages,
        modules=content.modules,
        sysctls=content.sysctls,
        enabled_units=content.enabled_units,
        masked_units=content.masked_units,
        kubernetes_binaries=content.kubernetes_binaries,
        runtime_binaries=content.runtime_binaries,
        cni_plugins=content.cni_plugins if cluster.network.cni is not Cni.NONE else (),
        settings={**content.settings, "containerd-sandbox": sandbox},
        hooks=numbered(image.hooks),
        datasources=provider.datasources,
        time_servers=provider.time_servers,
        bundle_sha256=image.bundle.sha256 or "",
        bundle_url=image.bundle.url or "",
        stock=image.install is Install.STOCK,
        stock_url=image.stock.url or "",
        build_user=BUILD_USER,
        qemu=_qemu(image),
        alicloud=_alicloud(cluster, image),
    )


def _qemu(image: Image) -> QemuPlan:
    return QemuPlan(
        base_url=image.qemu.source or "",
        base_checksum=image.qemu.checksum or "",
        cpus=image.qemu.cpus,
        memory_mib=image.qemu.memory_mib,
        disk_gib=image.qemu.disk_gib,
    )


def _alicloud(cluster: Cluster, image: Image) -> AlicloudPlan | None:
    builder = image.alicloud
    if builder is None:
        return None
    return AlicloudPlan(
        region=cluster.provider.region or "",
        source_image=builder.source_image,
        instance_type=builder.instance_type,
        vpc=builder.vpc,
        vswitch=builder.vswitch,
        security_group=builder.security_group,
        public_ip=not builder.private_address,
    )
