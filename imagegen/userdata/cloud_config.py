"""A role's plan becomes one cloud-config document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from imagegen import yaml_dump
from imagegen.plan import AdminPlan, DiskPlan, FilePlan, RolePlan
from imagegen.userdata.files import write_files

_HEADER = "#cloud-config\n"


def render_user_data(
    role: RolePlan, files: tuple[FilePlan, ...], start: Sequence[str] = (), *, packed: bool = False
) -> str:
    """The whole user-data of a role, as cloud-init takes it.

    `start`: a command that is run first, on every boot; `packed`: its files compressed where that helps.
    """
    return _HEADER + yaml_dump.dump(_cloud_config(role, files, start, packed=packed))


def _cloud_config(role: RolePlan, files: tuple[FilePlan, ...], start: Sequence[str], *, packed: bool) -> dict[str, Any]:
    config: dict[str, Any] = {"ssh_pwauth": False, "disable_root": True}
    if start:
        # Not runcmd: that runs once, late, and not again after a power cut in the middle of it.
        config["bootcmd"] = [list(start)]
    if role.node_name.keeps:
        config["preserve_hostname"] = True
    if role.edits_hosts or any(file.path == "/etc/hosts" for file in role.files):
        # Debian's cloud images rewrite /etc/hosts on every boot otherwise, and our lines with it.
        config["manage_etc_hosts"] = False
    # Without `users`, cloud-init makes the distribution's default user, with the keys that the cloud hands out.
    if role.admin is not None:
        config["users"] = [_user(role.admin)]
    if role.trusted_cas:
        config["ca_certs"] = {"trusted": list(role.trusted_cas)}
    if role.disks:
        config["fs_setup"] = [_file_system(disk) for disk in role.disks]
        config["mounts"] = [_mount(disk) for disk in role.disks]
    config["write_files"] = write_files(files, packed=packed)
    if role.time is not None:
        # chrony may be up before its files are there. Its name in every family; Debian has another one, too.
        config["runcmd"] = [["systemctl", "try-restart", "chronyd.service"]]
    return config


def _file_system(disk: DiskPlan) -> dict[str, Any]:
    return {"device": disk.device, "filesystem": disk.filesystem, "partition": "none", "overwrite": False}


def _mount(disk: DiskPlan) -> list[str]:
    # `nofail`: a machine without its disk still boots far enough to say so.
    return [disk.device, disk.mount_path, disk.filesystem, "defaults,nofail", "0", "2"]


def _user(admin: AdminPlan) -> dict[str, Any]:
    return {
        "name": admin.user,
        "shell": "/bin/bash",
        "sudo": "ALL=(ALL) NOPASSWD:ALL",
        "lock_passwd": True,
        "ssh_authorized_keys": list(admin.ssh_authorized_keys),
    }
