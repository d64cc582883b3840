"""What goes into the image, and how it is made."""

from __future__ import annotations

from imagegen.catalog import Catalog
from imagegen.plan import AlicloudPlan, ImagePlan, QemuPlan
from imagegen.planner.hooks import numbered
from imagegen.planner.supply import plan_runtime, plan_supply
from imagegen.spec import Cluster, Cni, Image, ImageSource, Install

BUILD_USER = "imagegen-build"
_BOOTED_ON = "amd64"


def plan_image(cluster: Cluster, image: Image, catalog: Catalog) -> ImagePlan:
    """An image that nodes of the cluster boot."""
    content, version = catalog.image, cluster.version_of(image)
    facts = catalog.require_kubernetes(version)
    sandbox = f"{cluster.kubernetes.image_repository}/pause:{facts.pause}"
    provider = catalog.providers[cluster.provider.type]
    system, family = catalog.systems[image.os], catalog.family_of(image.os)
    supply, runtime = plan_supply(image, catalog, version), plan_runtime(image, catalog)
    kubernetes_packages = catalog.vendors.packages["kubernetes"] if runtime.packages else ()
    return ImagePlan(
        name=image.metadata.name,
        os=image.os,
        family=system.family,
        booted=system.booted and supply.is_offline and image.architecture == _BOOTED_ON,
        architecture=image.architecture,
        kubernetes_version=version,
        kubernetes_packages=kubernetes_packages,
        sandbox_image=sandbox,
        cni=cluster.network.cni,
        flannel_image=content.flannel_image,
        flannel_plugin_image=content.flannel_plugin_image,
        supply=supply,
        runtime=runtime,
        python=system.python,
        kubelet_arguments=family.kubelet_arguments,
        packages=_packages(image, catalog),
        held=(*kubernetes_packages, *runtime.packages),
        modules=content.modules,
        sysctls=content.sysctls,
        enabled_units=(*content.enabled_units, *family.enabled_units),
        masked_units=family.masked_units,
        kubernetes_binaries=content.kubernetes_binaries,
        cni_plugins=content.cni_plugins if cluster.network.cni is not Cni.NONE else (),
        settings={**content.settings, **family.settings, "containerd-sandbox": sandbox},
        hooks=numbered(image.hooks),
        datasources=provider.datasources,
        time_servers=provider.time_servers,
        stock=image.install is Install.STOCK,
        stock_url=image.stock.url or "",
        build_user=BUILD_USER,
        qemu=_qemu(image),
        alicloud=_alicloud(cluster, image),
    )


def _packages(image: Image, catalog: Catalog) -> tuple[str, ...]:
    family = catalog.family_of(image.os)
    # The vendors' package of containerd brings runc, the files of a release have it beside them.
    runc = family.runc_package if image.source is ImageSource.BUNDLE else None
    return tuple(sorted({*family.packages, *catalog.systems[image.os].packages, *([runc] if runc else [])}))


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
