"""The order of the pure stages: text to spec, spec to plan, plan to file tree."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from imagegen.bundle import Bundle
from imagegen.catalog import Catalog
from imagegen.decode import decode_cluster
from imagegen.diagnostics import Diagnostic, Position, Report
from imagegen.filetree import PRIVATE, FileTree
from imagegen.frozen import dataclass
from imagegen.images import Description, ImageFolder, describe_image, render_image
from imagegen.inheritance import Documents, Read, load, refuse
from imagegen.leaks import find_secrets
from imagegen.plan import ClusterPlan
from imagegen.planner import plan_cluster, plan_images
from imagegen.readme import render_readme
from imagegen.rules import check_rules
from imagegen.schema import check_schema
from imagegen.spec import Cluster
from imagegen.supply.beside import find_locks
from imagegen.userdata import Artifact, render_artifact, render_seed


@dataclass(frozen=True, slots=True, kw_only=True)
class Assets:
    """All that the stages read but the user's files."""

    schema: Mapping[str, Any]
    lock_schema: Mapping[str, Any]
    catalog: Catalog
    templates: Mapping[str, str]
    packer: FileTree
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """What `render` makes of a spec; `fingerprints` are the images', by name."""

    tree: FileTree
    plan: ClusterPlan
    artifacts: tuple[Artifact, ...]
    fingerprints: Mapping[str, str]


def check(text: str, file: str, assets: Assets, read: Read = refuse) -> tuple[Cluster | None, Report]:
    """Syntax, schema, rules: all findings of a gate at once, and none of the gates behind it if there are errors.

    `read` gives the files that the spec extends.
    """
    documents, loading = load(text, file, read)
    sources = tuple(loading.sources)
    if documents is None or documents.cluster is None or loading.findings:
        return None, Report(diagnostics=tuple(loading.findings), sources=sources)
    data = documents.cluster.data
    images = {name: document.data for name, document in documents.images.items()}
    findings = _check_form(data, images, assets.schema)
    if findings:
        return None, Report(diagnostics=_located(findings, documents), sources=sources)
    cluster = decode_cluster(data, images)
    report = Report(diagnostics=_located(check_rules(cluster, assets.catalog), documents), sources=sources)
    if report.failed:
        return None, report
    found = find_locks(cluster, file, read, assets.catalog, assets.lock_schema)
    if not found.sources:
        return cluster, report
    findings = _located((*report.diagnostics, *found.findings), documents)
    report = Report(diagnostics=findings, sources=(*sources, *found.sources))
    return (None if report.failed else replace(cluster, locks=found.locks)), report


def _check_form(data: Any, images: Mapping[str, Any], schema: Mapping[str, Any]) -> tuple[Diagnostic, ...]:
    findings = (*check_schema(data, schema, "Cluster"), *find_secrets(data))
    for name, image in images.items():
        found = (*check_schema(image, schema, "Image"), *find_secrets(image))
        findings += tuple(replace(finding, image=name) for finding in found)
    return findings


def check_bundle(
    cluster: Cluster, text: str, file: str, now: datetime, *, every_pool: bool = True
) -> tuple[Bundle | None, Report]:
    """The secrets bundle of a cluster; the report never carries its text.

    `every_pool`: a pool without a token is an error.
    """
    from imagegen.secrets.store import check_fit, load_bundle  # noqa: PLC0415  `cryptography` is slow to import

    existing = cluster.control_plane.existing
    bundle, findings = load_bundle(text, file, now, existing.ca_certificate if existing else None)
    if bundle is not None:
        pools = tuple(pool.name for pool in cluster.node_pools) if every_pool else ()
        findings = check_fit(bundle, cluster.metadata.name, pools, file)
    report = Report(diagnostics=findings)
    return (None if report.failed else bundle), report


def render(cluster: Cluster, bundle: Bundle, assets: Assets) -> tuple[Rendering | None, Report]:
    """The whole output folder; refused (IG401) where user-data is over its provider's limit."""
    plan = plan_cluster(cluster, assets.catalog, bundle)
    artifacts = tuple(render_artifact(role, assets.templates, plan.delivery) for role in plan.roles)
    report = Report(diagnostics=tuple(_too_large(artifact) for artifact in artifacts if not artifact.fits))
    if report.failed:
        return None, report
    images = {
        image.name: render_image(image, assets.packer, assets.templates, bundle.build_key) for image in plan.images
    }
    fingerprints = {name: image.fingerprint for name, image in images.items()}
    tree = _output(plan, artifacts, images)
    tree.add("README.md", render_readme(plan))
    tree.add("manifest.json", json.dumps(_manifest(plan, artifacts, fingerprints, tree, assets), indent=2) + "\n")
    return Rendering(tree=tree, plan=plan, artifacts=artifacts, fingerprints=fingerprints), report


def describe_images(cluster: Cluster, assets: Assets) -> Mapping[str, Description]:
    """What is in each image of the cluster, by the image's name; no secrets are needed for it."""
    plans = plan_images(cluster, assets.catalog)
    return {plan.name: describe_image(plan, assets.packer, assets.templates) for plan in plans}


def _located(findings: tuple[Diagnostic, ...], documents: Documents) -> tuple[Diagnostic, ...]:
    def place(finding: Diagnostic) -> Position | None:
        return finding.position or documents.locate(finding.path, image=finding.image, on_key=finding.on_key)

    placed = (replace(finding, position=place(finding)) for finding in findings)
    return tuple(sorted(placed, key=lambda finding: (finding.position, finding.code, finding.message)))


def _too_large(artifact: Artifact) -> Diagnostic:
    largest = ", ".join(f"{path} ({size})" for path, size in artifact.heaviest)
    return Diagnostic(
        code="IG401",
        message=f"user-data of {artifact.role} has {len(artifact.payload)} bytes; the provider takes {artifact.limit}",
        hint=f"largest: {largest}",
    )


def _output(plan: ClusterPlan, artifacts: tuple[Artifact, ...], images: Mapping[str, ImageFolder]) -> FileTree:
    tree = FileTree()
    plain = {artifact.role: artifact.plain for artifact in artifacts}
    for artifact in artifacts:
        tree.add(f"user-data/{artifact.role}.yaml", artifact.plain, PRIVATE)
        if artifact.encoded is not None:
            tree.add(f"user-data/{artifact.role}.{artifact.suffix}", artifact.encoded, PRIVATE)
    for node in plan.nodes:
        tree.add(f"nocloud/{node.name}/user-data", plain[node.role], PRIVATE)
        for name, content in render_seed(node).items():
            tree.add(f"nocloud/{node.name}/{name}", content)
    for name, image in images.items():
        tree.graft(f"images/{name}/packer", image.tree)
    return tree


def _manifest(
    plan: ClusterPlan,
    artifacts: tuple[Artifact, ...],
    fingerprints: Mapping[str, str],
    tree: FileTree,
    assets: Assets,
) -> dict[str, Any]:
    images = {role.name: role.image for role in plan.roles}
    return {
        "imagegen": assets.version,
        "cluster": plan.name,
        "kubernetes": plan.kubernetes_version,
        "images": {
            image.name: {
                "fingerprint": fingerprints[image.name],
                "kubernetes": image.kubernetes_version,
                "os": image.os,
                "architecture": image.architecture,
                "source": image.supply.source,
                "booted": image.booted,
            }
            for image in plan.images
        },
        "userData": {
            artifact.role: {
                "bytes": len(artifact.payload),
                "limit": artifact.limit or None,
                "image": images[artifact.role],
            }
            for artifact in artifacts
        },
        "files": {
            path: {
                "sha256": file.digest,
                "size": len(file.content),
                "mode": f"{file.mode:04o}",
            }
            for path, file in tree
        },
    }
