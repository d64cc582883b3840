"""What the scripts on the machine and Packer itself are told."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from imagegen.plan import AlicloudPlan, ImagePlan


def environment(plan: ImagePlan, fingerprint: str) -> str:
    """The file that every script reads: `KEY='value'` lines for bash."""
    values = {
        "IMAGE_NAME": plan.name,
        "IMAGE_FINGERPRINT": fingerprint,
        "ARCHITECTURE": plan.architecture,
        "KUBERNETES_VERSION": plan.kubernetes_version,
        "PACKAGES": " ".join(plan.packages),
        "MASKED_UNITS": " ".join(plan.masked_units),
        "ENABLED_UNITS": " ".join(plan.enabled_units),
        "KUBERNETES_BINARIES": " ".join(plan.kubernetes_binaries),
        "RUNTIME_BINARIES": " ".join(plan.runtime_binaries),
        "CNI_PLUGINS": " ".join(plan.cni_plugins),
        "IMAGE_REPOSITORY": plan.sandbox_image.rpartition("/")[0],
        "SANDBOX_IMAGE": plan.sandbox_image,
        "CNI": plan.cni,
        "BUILD_USER": plan.build_user,
        "BUNDLE_SHA256": plan.bundle_sha256,
        "BUNDLE_URL": plan.bundle_url,
    }
    return "".join(f"{key}={shlex.quote(value)}\n" for key, value in values.items())


def variables(plan: ImagePlan, contents: Mapping[str, str], fingerprint: str) -> dict[str, Any]:
    """The values of Packer's variables that the plan knows."""
    values: dict[str, Any] = {
        "image_name": f"{plan.name}-{plan.kubernetes_version}-{fingerprint[:12]}",
        "image_fingerprint": fingerprint,
        "image_contents": dict(contents),
        "kubernetes_version": plan.kubernetes_version,
        "os": plan.os,
        "architecture": plan.architecture,
        "qemu_base_url": plan.qemu.base_url,
        "qemu_base_checksum": plan.qemu.base_checksum,
        "qemu_cpus": plan.qemu.cpus,
        "qemu_memory_mib": plan.qemu.memory_mib,
        "qemu_disk_gib": plan.qemu.disk_gib,
    }
    return values | (_alicloud_variables(plan.alicloud) if plan.alicloud else {})


def _alicloud_variables(plan: AlicloudPlan) -> dict[str, Any]:
    return {
        "alicloud_region": plan.region,
        "alicloud_source_image": plan.source_image,
        "alicloud_instance_type": plan.instance_type,
        "alicloud_vpc_id": plan.vpc,
        "alicloud_vswitch_id": plan.vswitch,
        "alicloud_security_group_id": plan.security_group,
        "alicloud_public_ip": plan.public_ip,
    }
