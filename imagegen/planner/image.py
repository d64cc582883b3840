"""What goes into the image, and how it is made."""

from __future__ import annotations

from imagegen.catalog import Catalog, ImageFacts
from imagegen.plan import ImagePlan, ManifestPlan
from imagegen.planner.builders import plan_builders
from imagegen.planner.hooks import numbered
from imagegen.planner.supply import plan_runtime, plan_supply
from imagegen.spec import Availability, Cluster, Cni, Image, ImageSource, Install

BUILD_USER = "imagegen-build"
_BOOTED_ON = "amd64"


def plan_image(cluster: Cluster, image: Image, catalog: Catalog) -> ImagePlan:
    """An image that nodes of the cluster boot."""
    content, version = catalog.image, cluster.version_of(image)
    facts = catalog.require_kubernetes(version)
    sandbox = f"{cluster.kubernetes.image_repository}/pause:{facts.pause}"
    provider = catalog.providers[cluster.provider.type]
    lock = cluster.locks.get(image.metadata.name)
    system, family = catalog.systems[image.os], catalog.family_of(image.os)
    supply, runtime = plan_supply(image, catalog, version, lock), plan_runtime(image, catalog)
    kubernetes_packages = catalog.vendors.packages["kubernetes"] if runtime.packages else ()
    balances = _keeps_endpoint(cluster, image, Availability.KEEPALIVED)
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
        cni_manifest=_manifest(cluster, content),
        kube_vip_image=content.kube_vip_image if _keeps_endpoint(cluster, image, Availability.KUBE_VIP) else "",
        supply=supply,
        runtime=runtime,
        python=system.python,
        kubelet_arguments=family.kubelet_arguments,
        packages=_packages(image, catalog, content.keepalived_packages if balances else ()),
        held=(*kubernetes_packages, *runtime.packages),
        modules=content.modules,
        sysctls=content.sysctls,
        enabled_units=(*content.enabled_units, *family.enabled_units),
        masked_units=(*family.masked_units, *(content.keepalived_units if balances else ())),
        kubernetes_binaries=content.kubernetes_binaries,
        cni_plugins=content.cni_plugins if cluster.network.cni is not Cni.NONE else (),
        settings={**content.settings, **family.settings, "containerd-sandbox": sandbox},
        hooks=numbered(image.hooks),
        datasources=provider.datasources,
        time_servers=provider.time_servers,
        stock=image.install is Install.STOCK,
        stock_url=image.stock.url or "",
        lock=lock,
        build_user=BUILD_USER,
        tags=image.tags,
        builders=plan_builders(cluster, image, catalog),
    )


def _manifest(cluster: Cluster, content: ImageFacts) -> ManifestPlan | None:
    if cluster.network.cni is not Cni.CALICO:
        return None
    version = cluster.network.calico_version or content.calico_version
    return ManifestPlan(
        name="calico.yaml",
        version=version,
        url=content.calico_manifest.format(version=version),
        images=tuple(image.format(version=version) for image in content.calico_images),
    )


def _keeps_endpoint(cluster: Cluster, image: Image, by: Availability) -> bool:
    """Whether it is the image of control planes that keep the endpoint among themselves in this way."""
    planes = cluster.references.get(("controlPlane",)) == image.metadata.name
    return planes and cluster.control_plane.high_availability.type is by


def _packages(image: Image, catalog: Catalog, further: tuple[str, ...]) -> tuple[str, ...]:
    family = catalog.family_of(image.os)
    # The vendors' package of containerd brings runc, the files of a release have it beside them.
    runc = family.runc_package if image.source is ImageSource.BUNDLE else None
    return tuple(sorted({*family.packages, *catalog.systems[image.os].packages, *([runc] if runc else []), *further}))
