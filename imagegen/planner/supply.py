"""Where a bake gets what it installs, and which containerd that is."""

from __future__ import annotations

from imagegen.catalog import Catalog
from imagegen.lock import Lock, bundle_digest
from imagegen.plan import RepositoryPlan, RuntimePlan, SupplyPlan
from imagegen.spec import Image, ImageSource, Mirrors

_FROM_PACKAGES = "/usr/bin"
_FROM_FILES = "/usr/local/bin"


def plan_supply(image: Image, catalog: Catalog, version: str, lock: Lock | None) -> SupplyPlan:
    """The source of an image whose defaults are decided; `version` of Kubernetes."""
    repositories = {}
    if image.source is ImageSource.PACKAGES:
        system, minor = catalog.systems[image.os], version.rpartition(".")[0]
        for content in catalog.vendors.repositories:
            found = catalog.vendors.repository(content, system, architecture=image.architecture, minor=minor)
            if found is None:
                raise ValueError(f"{image.os} has no repository for {content}")
            repositories[content] = RepositoryPlan(
                url=found.url, suite=found.suite, key=found.key, fingerprint=found.fingerprint
            )
    return SupplyPlan(
        source=image.source or ImageSource.PACKAGES,
        bundle_sha256=(image.bundle.sha256 if image.bundle else None) or _bundle_digest(image, lock),
        bundle_url=(image.bundle.url if image.bundle else None) or "",
        repositories=repositories,
        mirrors={} if image.mirrors is Mirrors.NONE else catalog.vendors.mirrors[image.mirrors],
        prepull=image.prepull and image.source is not ImageSource.BUNDLE,
    )


def _bundle_digest(image: Image, lock: Lock | None) -> str:
    """Of the bundle that a lock makes."""
    return bundle_digest(lock, image.architecture) if lock and image.source is ImageSource.BUNDLE else ""


def plan_runtime(image: Image, catalog: Catalog) -> RuntimePlan:
    """The image's containerd."""
    packaged = image.source is ImageSource.PACKAGES
    version = image.containerd or catalog.image.containerd
    return RuntimePlan(
        version=version,
        config_version=catalog.image.config_versions[version.partition(".")[0]],
        folder=_FROM_PACKAGES if packaged else _FROM_FILES,
        binaries=catalog.image.runtime_binaries,
        packages=catalog.vendors.packages["containerd"] if packaged else (),
        cni_folders=catalog.family_of(image.os).cni_folders,
    )
