"""An image plan becomes the folder that Packer builds."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from imagegen import templating, yaml_dump
from imagegen.bundle import KeyPair
from imagegen.filetree import PRIVATE, FileTree
from imagegen.plan import CONTRACT, AlicloudPlan, ImagePlan

_TEMPLATES = "image/"
# What steers Packer on the build host, and leaves no trace in the image.
_BUILD_HOST_ONLY = frozenset({"plugins.pkr.hcl", "sources.pkr.hcl", "variables.pkr.hcl"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFolder:
    """The emitted folder, and the fingerprint of all that goes into the image."""

    tree: FileTree
    fingerprint: str


def render_image(plan: ImagePlan, static: FileTree, templates: Mapping[str, str], build_key: KeyPair) -> ImageFolder:
    """Everything that `packer build` needs but the offline bundle."""
    tree = static.copy()
    for path, content in _rendered_files(plan, templates):
        tree.add(f"files/{path}", content)
    tree.add("declared.json", _json(_declared(plan)))
    fingerprint = _fingerprint(plan, tree)
    tree.add("files/etc/imagegen/image.json", _json(_stamp(plan, fingerprint)))
    tree.add("image.env", _environment(plan, fingerprint))
    tree.add(f"{plan.name}.auto.pkrvars.json", _json(_variables(plan, fingerprint)))
    tree.add("seed/user-data", _seed_user_data(plan, build_key))
    seed = {"instance-id": f"imagegen-build-{fingerprint[:12]}", "local-hostname": "imagegen-build"}
    tree.add("seed/meta-data", yaml_dump.dump(seed))
    tree.add("build-key", build_key.private, PRIVATE)
    return ImageFolder(tree=tree, fingerprint=fingerprint)


def _json(data: Any) -> str:
    return json.dumps(data, indent=2) + "\n"


def _rendered_files(plan: ImagePlan, templates: Mapping[str, str]) -> list[tuple[str, str]]:
    values = {
        "sandbox_image": plan.sandbox_image,
        "modules": plan.modules,
        "sysctls": plan.sysctls,
        "datasources": plan.datasources,
        "flannel_image": plan.flannel_image,
        "flannel_plugin_image": plan.flannel_plugin_image,
    }
    unused = set() if plan.cni == "flannel" else {"usr/local/lib/imagegen/cni/flannel.yaml"}
    paths = [path.removeprefix(_TEMPLATES) for path in templates if path.startswith(_TEMPLATES)]
    return [(path, templating.render(templates[_TEMPLATES + path], values)) for path in paths if path not in unused]


def _declared(plan: ImagePlan) -> dict[str, Any]:
    return {
        "modules": list(plan.modules),
        "sysctls": dict(plan.sysctls),
        "packages": list(plan.packages),
        "binaries": dict(plan.binaries),
        "units": dict(plan.units),
        "files": {"/etc/containerd/config.toml": "0644", "/etc/imagegen/image.json": "0644"},
        "images": [plan.sandbox_image],
    }


def _fingerprint(plan: ImagePlan, tree: FileTree) -> str:
    """A hash of exactly what goes into the image: its files, the base disk, the bundle, its settings."""
    digest = sha256()
    for path, file in tree:
        if path not in _BUILD_HOST_ONLY:
            digest.update(f"{path} {file.mode:o} {file.digest}\n".encode())
    for line in (_environment(plan, ""), _base(plan)):
        digest.update(line.encode())
    return digest.hexdigest()


def _base(plan: ImagePlan) -> str:
    alicloud = plan.alicloud.source_image if plan.alicloud else ""
    # A pinned base is its checksum, wherever it lies; an unpinned one is its address.
    pinned = plan.qemu.base_checksum.startswith(("sha256:", "sha512:"))
    qemu = plan.qemu.base_checksum if pinned else plan.qemu.base_url
    return f"{plan.os} {qemu} {plan.qemu.disk_gib} {alicloud}\n"


def _stamp(plan: ImagePlan, fingerprint: str) -> dict[str, Any]:
    return {
        "contract": CONTRACT,
        "name": plan.name,
        "fingerprint": fingerprint,
        "kubernetes": plan.kubernetes_version,
        "os": plan.os,
        "architecture": plan.architecture,
    }


def _environment(plan: ImagePlan, fingerprint: str) -> str:
    values = {
        "IMAGE_NAME": plan.name,
        "IMAGE_FINGERPRINT": fingerprint,
        "ARCHITECTURE": plan.architecture,
        "KUBERNETES_VERSION": plan.kubernetes_version,
        "PACKAGES": " ".join(plan.packages),
        "SANDBOX_IMAGE": plan.sandbox_image,
        "CNI": plan.cni,
        "BUILD_USER": plan.build_user,
        "BUNDLE_SHA256": plan.bundle_sha256,
    }
    return "".join(f"{key}={shlex.quote(value)}\n" for key, value in values.items())


def _variables(plan: ImagePlan, fingerprint: str) -> dict[str, Any]:
    variables: dict[str, Any] = {
        "image_name": f"{plan.name}-{plan.kubernetes_version}-{fingerprint[:12]}",
        "image_fingerprint": fingerprint,
        "kubernetes_version": plan.kubernetes_version,
        "os": plan.os,
        "architecture": plan.architecture,
        "qemu_base_url": plan.qemu.base_url,
        "qemu_base_checksum": plan.qemu.base_checksum,
        "qemu_cpus": plan.qemu.cpus,
        "qemu_memory_mib": plan.qemu.memory_mib,
        "qemu_disk_gib": plan.qemu.disk_gib,
    }
    return variables | (_alicloud_variables(plan.alicloud) if plan.alicloud else {})


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


def _seed_user_data(plan: ImagePlan, build_key: KeyPair) -> str:
    config = {
        "users": [
            {
                "name": plan.build_user,
                "shell": "/bin/bash",
                "sudo": "ALL=(ALL) NOPASSWD:ALL",
                "lock_passwd": True,
                "ssh_authorized_keys": [build_key.public],
            }
        ],
        "ssh_pwauth": False,
        "disable_root": True,
        "ssh_genkeytypes": ["ed25519"],
        "package_update": False,
        "package_upgrade": False,
    }
    return "#cloud-config\n" + yaml_dump.dump(config)
