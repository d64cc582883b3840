"""An image plan becomes the folder that Packer builds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from imagegen import templating, yaml_dump
from imagegen.bundle import KeyPair
from imagegen.filetree import EXECUTABLE, PRIVATE, FileTree
from imagegen.frozen import dataclass
from imagegen.images.contents import contents_of, fingerprint_of
from imagegen.images.declared import STAMP, declare
from imagegen.images.policies import write_policy
from imagegen.images.readme import describe_folder
from imagegen.images.settings import environment, variables
from imagegen.lock import bake_lock
from imagegen.plan import CONTRACT, ImagePlan, StockPlan

_TEMPLATES = "image/"
# The units that run Python.
_PROGRAMS = tuple(f"imagegen-{name}.service" for name in ("approver", "bootstrap", "renew", "snapshot"))
_PLUGINS, _HCL = "plugins.", ".pkr.hcl"
_ABOUT_HOOKS = "Programs of the spec's image.hooks, run in the order of their names before the image is checked.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """All that decides what is in an image, by name, and the fingerprint of that; `builders` by Packer's names."""

    contents: Mapping[str, str]
    fingerprint: str
    builders: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFolder:
    """The emitted folder, and the fingerprint of all that goes into the image."""

    tree: FileTree
    fingerprint: str


def describe_image(plan: ImagePlan, static: FileTree, templates: Mapping[str, str]) -> Description:
    """What is in the image that the plan asks for."""
    return _describe(plan, _content_tree(plan, static, templates))


def render_image(plan: ImagePlan, static: FileTree, templates: Mapping[str, str], build_key: KeyPair) -> ImageFolder:
    """Everything that `packer build` needs but the offline bundle."""
    tree = _content_tree(plan, static, templates)
    description = _describe(plan, tree)
    fingerprint = description.fingerprint
    _add_identity(tree, plan, fingerprint)
    tree.add(f"{plan.name}.auto.pkrvars.json", _json(variables(plan, description.contents, fingerprint)))
    tree.add("seed/user-data", _seed_user_data(plan, build_key))
    seed = {"instance-id": f"imagegen-build-{fingerprint[:12]}", "local-hostname": "imagegen-build"}
    tree.add("seed/meta-data", yaml_dump.dump(seed))
    tree.add("build-key", build_key.private, PRIVATE)
    for builder in plan.builders:
        if builder.policy:
            tree.add(builder.policy.file, _json(write_policy(builder.policy)))
    tree.add("README.md", describe_folder(plan))
    return ImageFolder(tree=tree, fingerprint=fingerprint)


def render_stock(plan: ImagePlan, static: FileTree, templates: Mapping[str, str], programs: FileTree) -> StockPlan:
    """The same content, packed for machines that install it on themselves; its fingerprint is the baked image's."""
    from imagegen.images.stock import pack  # noqa: PLC0415  slow to import, and most images are baked

    tree = _content_tree(plan, static, templates)
    fingerprint = _describe(plan, tree).fingerprint
    _add_identity(tree, plan, fingerprint)
    return pack(plan, tree, programs, fingerprint)


def _add_identity(tree: FileTree, plan: ImagePlan, fingerprint: str) -> None:
    tree.add(f"files{STAMP}", _json(_stamp(plan, fingerprint)))
    tree.add("image.env", environment(plan, fingerprint))
    if plan.lock is not None:
        tree.add("lock.json", bake_lock(plan.lock, plan.architecture))


def _content_tree(plan: ImagePlan, static: FileTree, templates: Mapping[str, str]) -> FileTree:
    tree = _static_tree(plan, static)
    for path, content in _rendered_files(plan, templates):
        tree.add(f"files/{path}", content)
    for name, script in plan.hooks.items():
        tree.add(f"hooks/{name}", script, EXECUTABLE)
    # Packer uploads a folder that is there, and git keeps none that is empty.
    tree.add("hooks/README", _ABOUT_HOOKS)
    tree.add("declared.json", _json(declare(plan, tree)))
    return tree


def _static_tree(plan: ImagePlan, static: FileTree) -> FileTree:
    """Without the files of builders that are not used: Packer wants the plugin of each that it reads of."""
    plugins = {path.split(".")[1] for path, _ in static if path.startswith(_PLUGINS)}
    unused = plugins - {builder.key for builder in plan.builders}
    return static.without(path for key in unused for path in (f"{key}{_HCL}", f"{_PLUGINS}{key}{_HCL}"))


def _describe(plan: ImagePlan, tree: FileTree) -> Description:
    contents = contents_of(plan, tree)
    builders = tuple(builder.type for builder in plan.builders)
    return Description(contents=contents, fingerprint=fingerprint_of(contents), builders=builders)


def _json(data: Any) -> str:
    return json.dumps(data, indent=2) + "\n"


def _rendered_files(plan: ImagePlan, templates: Mapping[str, str]) -> list[tuple[str, str]]:
    values = {
        "sandbox_image": plan.sandbox_image,
        "containerd": f"{plan.runtime.folder}/containerd",
        "config_version": plan.runtime.config_version,
        "cni_folders": plan.runtime.cni_folders,
        "kubelet_arguments": plan.kubelet_arguments,
        "python": plan.python,
        "modules": [module for module in plan.modules if module != "nf_conntrack"],
        "sysctls": plan.sysctls,
        "datasources": plan.datasources,
        "time_servers": plan.time_servers,
        "flannel_image": plan.flannel_image,
        "flannel_plugin_image": plan.flannel_plugin_image,
    }
    wanted = {
        "usr/local/lib/imagegen/cni/flannel.yaml": plan.cni == "flannel",
        "etc/chrony/sources.d/imagegen.sources": bool(plan.time_servers),
        "etc/default/kubelet": plan.kubelet_arguments == "/etc/default/kubelet",
        "etc/sysconfig/kubelet": plan.kubelet_arguments == "/etc/sysconfig/kubelet",
        **{f"etc/systemd/system/{unit}.d/10-python.conf": plan.python != "python3" for unit in _PROGRAMS},
    }
    paths = [path.removeprefix(_TEMPLATES) for path in templates if path.startswith(_TEMPLATES)]
    return [(path, templating.render(templates[_TEMPLATES + path], values)) for path in paths if wanted.get(path, True)]


def _stamp(plan: ImagePlan, fingerprint: str) -> dict[str, Any]:
    return {
        "contract": CONTRACT,
        "name": plan.name,
        "fingerprint": fingerprint,
        "kubernetes": plan.kubernetes_version,
        "os": plan.os,
        "architecture": plan.architecture,
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
