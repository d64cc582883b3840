"""Spec, facts and secrets become a plan: every default is decided here, and nowhere else."""

from __future__ import annotations

from imagegen.bundle import Bundle
from imagegen.catalog import Catalog
from imagegen.plan import ClusterPlan, DeliveryPlan
from imagegen.planner.decisions import decide
from imagegen.planner.image import plan_image
from imagegen.planner.nodes import plan_nodes
from imagegen.planner.roles import plan_roles
from imagegen.spec import Cluster

__all__ = ["decide", "plan_cluster"]


def plan_cluster(cluster: Cluster, catalog: Catalog, bundle: Bundle) -> ClusterPlan:
    """The plan of a spec that passed all rules."""
    cluster = decide(cluster, catalog)
    version = cluster.kubernetes.version
    facts = catalog.kubernetes_facts(version)
    if facts is None:
        raise ValueError(f"Kubernetes {version} is not in the catalog")
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
        image=plan_image(cluster, catalog, facts),
        roles=plan_roles(cluster, facts, bundle),
        nodes=plan_nodes(cluster, bundle),
    )
