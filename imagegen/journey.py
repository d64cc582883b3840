"""What a machine does on its first boot, in order and in plain words: told from its user-data and the phases' table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from imagegen.catalog.firstboot import PhaseFacts
from imagegen.inspection import Part, inspect_artifact
from imagegen.plan import STOCK_WORK, RoleKind, RolePlan
from imagegen.secrets.placeholder import MARK, ROUGH
from imagegen.userdata import Artifact

_HOOKS = "/etc/imagegen/hooks/"


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedFile:
    """A file that cloud-init writes; `exact`: its size does not depend on the bundle."""

    path: str
    mode: str
    size: int
    exact: bool
    secret: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something that a module of cloud-init does."""

    module: str
    does: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A phase that this role goes through; `condition`: only then."""

    phase: PhaseFacts
    condition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallStep:
    """A script by which a machine from a public image installs itself."""

    name: str
    does: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Journey:
    """The way of one role from an empty machine to a node that is Ready."""

    cluster: str
    role: str
    kind: RoleKind
    size: int
    limit: int
    files: tuple[StagedFile, ...]
    actions: tuple[Action, ...]
    steps: tuple[InstallStep, ...]
    stages: tuple[Stage, ...]
    ready: str


def tell(role: RolePlan, artifact: Artifact, phases: tuple[PhaseFacts, ...], steps: tuple[str, ...] = ()) -> Journey:
    """The journey of a role, whose user-data was rendered with a placeholder in the place of each secret.

    `steps`: the scripts by which its machines install themselves, if they do.
    """
    (part,) = inspect_artifact(artifact.plain).parts
    return Journey(
        cluster=role.cluster,
        role=role.name,
        kind=role.kind,
        size=len(artifact.payload),
        limit=artifact.limit,
        files=tuple(_files(part)),
        actions=tuple(_actions(part.settings)),
        steps=tuple(InstallStep(name=step, does=STEPS.get(step, "is run")) for step in steps),
        stages=tuple(_stages(role, phases, _hook_stages(part))),
        ready=_ready(role),
    )


def _files(part: Part) -> Iterator[StagedFile]:
    for file in part.files:
        if file.path.startswith(f"{STOCK_WORK}/"):
            continue
        text = file.content.decode()
        yield StagedFile(
            path=file.path,
            mode=file.mode,
            size=len(file.content),
            exact=ROUGH not in text,
            secret=MARK in text,
        )


def _actions(settings: Mapping[str, Any]) -> Iterator[Action]:
    for name, (module, describe) in _MODULES.items():
        if name in settings:
            yield from (Action(module=module, does=text) for text in describe(settings[name]))
        elif name == "users":
            yield Action(
                module=module, does="makes the distribution's default user, with the keys that the cloud gives"
            )
    for name in sorted(settings.keys() - _MODULES.keys()):
        yield Action(module=name, does=f"does what cloud-init's documentation says of `{name}`")


def _file_systems(entries: Any) -> Iterator[str]:
    for entry in entries:
        yield f"makes a file system on {entry['device']} ({entry['filesystem']}) if there is none"


def _mounts(entries: Any) -> Iterator[str]:
    for device, path, *_ in entries:
        yield f"mounts {device} on {path}, on this boot and every other; boots on without it if it is not there"


def _authorities(entries: Any) -> Iterator[str]:
    count = len(entries["trusted"])
    yield f"trusts {count} further {'CA' if count == 1 else 'CAs'}, system-wide"


def _users(entries: Any) -> Iterator[str]:
    for user in entries:
        count = len(user["ssh_authorized_keys"])
        keys = "1 SSH key" if count == 1 else f"{count} SSH keys"
        yield f"makes the user `{user['name']}`: {keys}, no password, sudo without one; and no other user"


def _commands(entries: Any) -> Iterator[str]:
    for command in entries:
        yield f"runs `{' '.join(command)}`, late: the phases below do not wait for it"


def _always(text: str) -> Callable[[Any], Iterator[str]]:
    return lambda _: iter((text,))


def _first_command(entries: Any) -> Iterator[str]:
    *_, hold = (word for word in entries[0] if "\n" in word)
    units = entries[0][entries[0].index(hold) + 1 :]
    yield f"on every boot until the machine is installed: masks {', '.join(units)}"
    yield "starts imagegen-install.service, which waits until the files are there"


STEPS: Mapping[str, str] = {
    "10-gather-files": "downloads the offline bundle, if it installs from one, and checks every file of it",
    "20-prepare-system": "masks what would take the package manager's lock; turns swap off",
    "30-install-packages": "installs the system's packages",
    "40-install-files": "puts files in their places; loads modules, sets sysctls",
    "50-install-runtime": "installs containerd and the CNI plugins, and starts containerd",
    "60-install-kubernetes": "installs kubeadm, kubelet and kubectl",
    "65-enable-units": "enables what is to start on every boot",
    "70-import-images": "imports or pulls the container images",
    "75-run-hooks": "runs the spec's image hooks",
    "80-verify-image": "looks whether everything is as it was declared",
    "85-require-verified": "starts all over if something is not",
    "86-take-inventory": "writes down what is on the machine",
}
"""The bake's scripts in words, by their names."""

# In the order in which cloud-init runs its modules (cloud.cfg of Debian 12 and 13); the files come before all of these.
_MODULES: Mapping[str, tuple[str, Callable[[Any], Iterator[str]]]] = {
    "bootcmd": ("bootcmd", _first_command),
    "fs_setup": ("disk_setup", _file_systems),
    "mounts": ("mounts", _mounts),
    "preserve_hostname": ("set_hostname", _always("leaves the host name to first boot")),
    "manage_etc_hosts": ("update_etc_hosts", _always("leaves /etc/hosts as it is from now on")),
    "ca_certs": ("ca_certs", _authorities),
    "users": ("users_groups", _users),
    "disable_root": ("ssh", _always("lets nobody log in as root over SSH")),
    "ssh_pwauth": ("set_passwords", _always("lets nobody log in with a password over SSH")),
    "runcmd": ("runcmd", _commands),
}
DESCRIBED = frozenset(_MODULES)
"""What user-data may say and is told in words of its own."""


def _hook_stages(part: Part) -> frozenset[str]:
    return frozenset(PurePosixPath(file.path).parent.name for file in part.files if file.path.startswith(_HOOKS))


# Who may become what; each has all phases of those, and the conditions tell them apart.
_BECOMES = {RoleKind.CONTROL_PLANE: frozenset({RoleKind.CONTROL_PLANE_INIT, RoleKind.CONTROL_PLANE_JOIN})}


def _stages(role: RolePlan, phases: tuple[PhaseFacts, ...], hooks: frozenset[str]) -> Iterator[Stage]:
    kind = role.kind
    told = {"hairpin": role.hairpin, "kubeVip": bool(role.kube_vip_init), "keepalived": role.keepalived is not None}
    becomes = _BECOMES.get(kind, frozenset({kind}))
    for phase in phases:
        if (phase.hooks and phase.hooks not in hooks) or (phase.setting and not told[phase.setting]):
            continue
        joins_only, starts_only = phase.modes == {"join"}, phase.modes == {"init"}
        if not becomes & phase.roles or (starts_only and not kind.may_initialise):
            continue
        condition = ""
        if kind.may_initialise:
            condition = "if it joins" if joins_only else "if it starts the cluster" if starts_only else ""
        if not becomes <= phase.roles and not condition:
            condition = "if it is the first"
        yield Stage(phase=phase, condition=condition)


def _ready(role: RolePlan) -> str:
    if role.cni == "none":
        return "the node is Ready once a CNI plugin runs on it, which you give the cluster: the spec says `cni: none`"
    if role.kind.may_initialise:
        return f"the node is Ready once the {role.cni} that was applied runs on it"
    return f"the node is Ready once the cluster's {role.cni} runs on it"
