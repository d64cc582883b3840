"""What goes into the image, and how it is made."""

from __future__ import annotations

from imagegen.catalog import Catalog
from imagegen.plan import ImagePlan
from imagegen.planner.builders import plan_builders
from imagegen.planner.hooks import numbered
from imagegen.spec import Cluster, Cni, Image

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
        build_user=BUILD_USER,
        tags=image.tags,
        builders=plan_builders(cluster, image, catalog),
    )
