"""What the scripts on the machine and Packer itself are told."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from imagegen.plan import ImagePlan


def environment(plan: ImagePlan, fingerprint: str) -> str:
    """The file that every script reads: `KEY='value'` lines for bash."""
    lists = {
        "PACKAGES": plan.packages,
        "HELD_PACKAGES": plan.held,
        "KUBERNETES_PACKAGES": plan.kubernetes_packages,
        "RUNTIME_PACKAGES": plan.runtime.packages,
        "MASKED_UNITS": plan.masked_units,
        "ENABLED_UNITS": plan.enabled_units,
        "KUBERNETES_BINARIES": plan.kubernetes_binaries,
        "RUNTIME_BINARIES": plan.runtime.binaries,
        "CNI_PLUGINS": plan.cni_plugins,
        "FURTHER_IMAGES": plan.further_images,
        "MIRRORS": tuple(f"{old}={new}" for old, new in plan.supply.mirrors.items()),
    }
    values = {
        "IMAGE_NAME": plan.name,
        "IMAGE_FINGERPRINT": fingerprint,
        "ARCHITECTURE": plan.architecture,
        "FAMILY": plan.family,
        "PYTHON": plan.python,
        "KUBERNETES_VERSION": plan.kubernetes_version,
        "CONTAINERD_VERSION": plan.runtime.version,
        "IMAGE_REPOSITORY": plan.sandbox_image.rpartition("/")[0],
        "SANDBOX_IMAGE": plan.sandbox_image,
        "CNI": plan.cni,
        "CNI_MANIFEST": plan.cni_manifest.name if plan.cni_manifest else "",
        "BUILD_USER": plan.build_user,
        "SOURCE": plan.supply.source,
        "BUNDLE_SHA256": plan.supply.bundle_sha256,
        "BUNDLE_URL": plan.supply.bundle_url,
        "PREPULL": "true" if plan.supply.prepull else "false",
        **{key: " ".join(words) for key, words in lists.items()},
        **_repositories(plan),
    }
    return "".join(f"{key}={shlex.quote(value)}\n" for key, value in values.items())


def _repositories(plan: ImagePlan) -> dict[str, str]:
    values = {"REPOSITORIES": " ".join(plan.supply.repositories)}
    for name, repository in plan.supply.repositories.items():
        start = f"REPOSITORY_{name.upper()}"
        values |= {
            f"{start}_URL": repository.url,
            f"{start}_SUITE": repository.suite,
            f"{start}_KEY": repository.key,
            f"{start}_FINGERPRINT": repository.fingerprint,
        }
    return values


def variables(plan: ImagePlan, contents: Mapping[str, str], fingerprint: str) -> dict[str, Any]:
    """The values of Packer's variables that the plan knows."""
    values: dict[str, Any] = {
        "image_name": f"{plan.name}-{plan.kubernetes_version}-{fingerprint[:12]}",
        "image_fingerprint": fingerprint,
        "image_contents": dict(contents),
        "kubernetes_version": plan.kubernetes_version,
        "os": plan.os,
        "architecture": plan.architecture,
        "tags": dict(plan.tags),
        "builders": [builder.type for builder in plan.builders],
        "bundle_dir": "bundle" if plan.supply.is_offline else "",
    }
    for builder in plan.builders:
        values |= builder.variables
    return values
