"""Spec, facts and secrets become a plan: every default is decided here, and nowhere else."""

from __future__ import annotations

from imagegen.bundle import Bundle
from imagegen.catalog import Catalog
from imagegen.plan import ClusterPlan, DeliveryPlan, ImagePlan
from imagegen.planner.decisions import decide
from imagegen.planner.image import plan_image
from imagegen.planner.nodes import plan_nodes
from imagegen.planner.roles import plan_roles
from imagegen.spec import Cluster

__all__ = ["decide", "plan_cluster", "plan_images"]


def plan_cluster(cluster: Cluster, catalog: Catalog, bundle: Bundle) -> ClusterPlan:
    """The plan of a spec that passed all rules."""
    cluster = decide(cluster, catalog)
    version = cluster.kubernetes.version
    facts = catalog.require_kubernetes(version)
    provider = catalog.providers[cluster.provider.type]
    return ClusterPlan(
        name=cluster.metadata.name,
        kubernetes_version=version,
        admin_group=facts.admin_group,
        endpoint=cluster.control_plane.address,
        delivery=DeliveryPlan(
            provider=cluster.provider.type,
            limit=provider.limit,
            encoding=provider.encoding,
            gzip=provider.gzip,
            http_tokens=cluster.provider.metadata_options.http_tokens,
        ),
        images=_images(cluster, catalog),
        roles=plan_roles(cluster, facts, bundle, catalog.image),
        nodes=plan_nodes(cluster, bundle),
    )


def plan_images(cluster: Cluster, catalog: Catalog) -> tuple[ImagePlan, ...]:
    """The images that the machines of a spec boot."""
    return _images(decide(cluster, catalog), catalog)


def _images(cluster: Cluster, catalog: Catalog) -> tuple[ImagePlan, ...]:
    return tuple(plan_image(cluster, image, catalog) for image in cluster.used_images)
