"""The locks that lie beside a spec."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from posixpath import dirname, join
from typing import Any

from imagegen.catalog import Catalog
from imagegen.diagnostics import Diagnostic, Position
from imagegen.document import Document
from imagegen.lock import SUFFIX, Lock
from imagegen.plan import ImagePlan
from imagegen.planner import plan_images
from imagegen.spec import Cluster, Image
from imagegen.supply.fit import check_lock, check_pinned_bundle
from imagegen.supply.reading import read_lock
from imagegen.supply.wanted import Wanted, want, why_not


@dataclass(slots=True)
class Locks:
    """What was found: locks by their images' names, findings, and the texts that these are about."""

    locks: dict[str, Lock] = field(default_factory=dict)
    findings: list[Diagnostic] = field(default_factory=list)
    sources: list[tuple[str, str]] = field(default_factory=list)


def lock_file(spec: str, image: str) -> str:
    """Where the lock of an image of a spec is."""
    return join(dirname(spec), f"{image}{SUFFIX}")


def find_locks(
    cluster: Cluster, spec: str, read: Callable[[str], str], catalog: Catalog, schema: Mapping[str, Any]
) -> Locks:
    """The locks of the images that a spec uses; what is wrong with them, or no longer what the spec asks for."""
    found = Locks()
    documents: dict[str, Document] = {}
    for image in cluster.used_images:
        name = image.metadata.name
        file = lock_file(spec, name)
        try:
            text = read(file)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except UnicodeDecodeError:
            place = Position(file=file, line=1, column=1)
            found.findings.append(Diagnostic(code="IG001", message="not YAML: not UTF-8 text", position=place))
            found.sources.append((file, ""))
            continue
        found.sources.append((file, text))
        lock, document, findings = read_lock(text, file, schema)
        found.findings += _placed(findings, document)
        if lock is not None and document is not None:
            found.locks[name], documents[name] = lock, document
    if found.locks:
        found.findings += _mismatches(cluster, found.locks, documents, catalog)
    return found


def want_for(cluster: Cluster, plan: ImagePlan, catalog: Catalog) -> Wanted | None:
    """What an image of the cluster needs; None where nobody outside may ask for its packages."""
    if why_not(plan, catalog):
        return None
    return want(plan, catalog, cluster.known_images[plan.name].qemu.source)


def _mismatches(
    cluster: Cluster, locks: Mapping[str, Lock], documents: Mapping[str, Document], catalog: Catalog
) -> Iterator[Diagnostic]:
    for plan in plan_images(cluster, catalog):
        if plan.name in locks:
            lock, image = locks[plan.name], cluster.known_images[plan.name]
            findings = tuple(check_lock(lock, plan, image, want_for(cluster, plan, catalog)))
            yield from _placed(findings, documents[plan.name])
            yield from (_in_spec(finding, cluster, image) for finding in check_pinned_bundle(lock, image))


def _in_spec(finding: Diagnostic, cluster: Cluster, image: Image) -> Diagnostic:
    name = image.metadata.name
    if name in cluster.images:
        return replace(finding, image=name)
    return replace(finding, path=("image", *finding.path))


def _placed(findings: tuple[Diagnostic, ...], document: Document | None) -> Iterator[Diagnostic]:
    for finding in findings:
        if finding.position is not None or document is None:
            yield finding
        else:
            yield replace(finding, position=document.locate(finding.path, on_key=finding.on_key))
