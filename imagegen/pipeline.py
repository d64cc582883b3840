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
from imagegen.images import Description, ImageFolder, describe_image, render_image, render_stock
from imagegen.inheritance import Documents, Read, load, refuse
from imagegen.leaks import find_secrets
from imagegen.plan import ClusterPlan, StockPlan
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
    stock: FileTree
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
    stocks = pack_stocks(plan, assets)
    artifacts = tuple(
        render_artifact(role, assets.templates, plan.delivery, stocks.get(role.image)) for role in plan.roles
    )
    report = Report(diagnostics=_too_large(plan, artifacts, stocks))
    if report.failed:
        return None, report
    images = {
        image.name: render_image(image, assets.packer, assets.templates, bundle.build_key)
        for image in plan.images
        if not image.stock
    }
    prints = {name: image.fingerprint for name, image in images.items()}
    prints |= {name: stock.fingerprint for name, stock in stocks.items()}
    fingerprints = {image.name: prints[image.name] for image in plan.images}
    tree = _output(plan, artifacts, images, stocks)
    tree.add("README.md", render_readme(plan, stocks))
    tree.add("manifest.json", json.dumps(_manifest(plan, artifacts, fingerprints, tree, assets), indent=2) + "\n")
    return Rendering(tree=tree, plan=plan, artifacts=artifacts, fingerprints=fingerprints), report


def pack_stocks(plan: ClusterPlan, assets: Assets) -> Mapping[str, StockPlan]:
    """What machines install themselves with, by the name of their image, where they do; it holds no secrets."""
    return {
        image.name: render_stock(image, assets.packer, assets.templates, assets.stock)
        for image in plan.images
        if image.stock
    }


def describe_images(cluster: Cluster, assets: Assets) -> Mapping[str, Description]:
    """What is in each image of the cluster, by the image's name; no secrets are needed for it."""
    plans = plan_images(cluster, assets.catalog)
    return {plan.name: describe_image(plan, assets.packer, assets.templates) for plan in plans}


def _located(findings: tuple[Diagnostic, ...], documents: Documents) -> tuple[Diagnostic, ...]:
    def place(finding: Diagnostic) -> Position | None:
        return finding.position or documents.locate(finding.path, image=finding.image, on_key=finding.on_key)

    placed = (replace(finding, position=place(finding)) for finding in findings)
    return tuple(sorted(placed, key=lambda finding: (finding.position, finding.code, finding.message)))


def _too_large(
    plan: ClusterPlan, artifacts: tuple[Artifact, ...], stocks: Mapping[str, StockPlan]
) -> tuple[Diagnostic, ...]:
    images = {role.name: role.image for role in plan.roles}
    return tuple(
        Diagnostic(
            code="IG401",
            message=f"user-data of {artifact.role} has {len(artifact.payload)} bytes; the provider takes"
            f" {artifact.limit}",
            hint=_lighter(artifact, stocks.get(images[artifact.role])),
        )
        for artifact in artifacts
        if not artifact.fits
    )


def _lighter(artifact: Artifact, stock: StockPlan | None) -> str:
    if stock is not None and not stock.url:
        return "serve what machines install themselves with, and name the place: `image.stock.url`"
    return "largest: " + ", ".join(f"{path} ({size})" for path, size in artifact.heaviest)


def _output(
    plan: ClusterPlan,
    artifacts: tuple[Artifact, ...],
    images: Mapping[str, ImageFolder],
    stocks: Mapping[str, StockPlan],
) -> FileTree:
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
    for name, stock in stocks.items():
        if stock.url:
            tree.add(f"images/{name}/stock/{stock.name}", stock.payload)
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
                "install": "stock" if image.stock else "baked",
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
