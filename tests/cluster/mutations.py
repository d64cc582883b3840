"""Each declared step dropped, or undone: a mutation per declaration, made from declared.json, with what must go red."""

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cluster.edits import FILES, SCRIPTS, one_byte_more, replaced, without_file, without_word

Check = tuple[str, str]
"""Kind and name, as in the report."""
STAMP = "/etc/imagegen/image.json"
_PROGRAMS = {
    "/usr/bin/": "KUBERNETES_BINARIES",
    "/usr/local/bin/": "RUNTIME_BINARIES",
    "/opt/cni/bin/": "CNI_PLUGINS",
}
# Dropped from the bake, these would stop a later script, which is no check; so they are undone when it is baked.
_NEEDED_LATER = {
    "chrony": "65 enables its unit",
    "/usr/bin/kubeadm": "70 asks it for the names of the images",
    "/usr/local/bin/containerd": "50 starts it",
    "/usr/local/bin/ctr": "70 imports with it",
    STAMP: "40 writes into it by whom it was made",
    "/etc/containerd/config.toml": "containerd is started with it, and two settings stand in it",
    "/etc/sysctl.d/90-imagegen.conf": "its lines are dropped one by one",
    "/etc/modules-load.d/imagegen-conntrack.conf": "40 writes into it what the kernel calls the module",
    "/etc/modules-load.d/imagegen.conf": "its lines are dropped one by one, where there is a kernel for them",
}
_CONFIG = "etc/containerd/config.toml"
_SYSCTLS = "etc/sysctl.d/90-imagegen.conf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """A step that is left out of a bake: an edit of the emitted folder, made before the scripts run."""

    name: str
    own: frozenset[Check]
    edit: Callable[[Path], None]
    also: frozenset[Check] = frozenset()
    given: str = ""
    """What the machine was before, such that the step makes a difference."""
    group: str = ""
    """Drops that spoil the same thing beside their own are made in the same bake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """A step undone on the baked machine, and done again after the checks."""

    name: str
    own: frozenset[Check]
    do: str
    undo: str
    also: frozenset[Check] = frozenset()
    perhaps: frozenset[Check] = frozenset()
    found: str = ""
    """What the report must say that was found; empty: whatever."""


Mutation = Drop | Undo


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What is known of the base and the bundle: where a step left out makes no difference, it is undone."""

    brought_along: frozenset[str] = frozenset()
    """Packages that are in the base, or that another declared one depends on."""
    namespaced: frozenset[str] = frozenset()
    """Sysctls that belong to the machine; all others are the host's."""
    archives: Mapping[str, str] = field(default_factory=dict)
    """Path in the bundle of each image's archive."""


def mutations(declared: dict[str, Any], ground: Ground) -> Iterator[Mutation]:
    """Every mutation of every declaration but those of a kernel's modules."""
    for kind, of_kind in BY_KIND.items():
        yield from of_kind(declared, ground) if declared[kind] else ()


def checks_of(declared: dict[str, Any]) -> frozenset[Check]:
    """Every check that the declarations lead to."""
    named = {(singular, name) for kind, singular in SINGULAR.items() for name in declared[kind]}
    contents = {("content", name) for name, wanted in declared["files"].items() if "sha256" in wanted}
    return frozenset(named | contents)


def wrong(value: str) -> str:
    """Another value for a sysctl, which hurts nobody for a moment."""
    number = int(value.split(maxsplit=1)[0])
    return str(1 - number if number in {0, 1} else number + 1)


def _packages(declared: dict[str, Any], ground: Ground) -> Iterator[Mutation]:
    for name in declared["packages"]:
        own = frozenset({("package", name)})
        if name in ground.brought_along or name in _NEEDED_LATER:
            # dpkg's own record of it, since the programs of others need its files.
            marked = f"sed -i '/^Package: {name}$/,/^$/s/^Status: .*/Status: {{}}/' /var/lib/dpkg/status"
            yield Undo(
                name=f"package {name}: not installed, by dpkg's record",
                own=own,
                do=marked.format("deinstall ok config-files"),
                undo=marked.format("install ok installed"),
            )
        else:
            yield Drop(name=f"package {name}: not installed", own=own, edit=without_word("PACKAGES", name))


def _holds(declared: dict[str, Any], _: Ground) -> Iterator[Mutation]:
    for name in declared["holds"]:
        own = frozenset({("hold", name)})
        yield Drop(name=f"hold {name}: not held", own=own, edit=without_word("HELD_PACKAGES", name))


def _binaries(declared: dict[str, Any], _: Ground) -> Iterator[Mutation]:
    for path, version in declared["binaries"].items():
        own, also = frozenset({("binary", path)}), _that_need(path, declared)
        folder = next((folder for folder in _PROGRAMS if path.startswith(folder)), "")
        away, back = f"mv {path} {path}.kept", f"mv {path}.kept {path}"
        if folder and path not in _NEEDED_LATER:
            edit = without_word(_PROGRAMS[folder], path.removeprefix(folder))
            yield Drop(name=f"binary {path}: not installed", own=own, also=also, edit=edit)
        else:
            yield Undo(name=f"binary {path}: not there", own=own, also=also, do=away, undo=back, found="absent")
        if version:
            other = f"v{version}0"
            do = f"{away}; printf '#!/bin/sh\\necho {other}\\n' > {path}; chmod 0755 {path}"
            yield Undo(name=f"binary {path}: another version", own=own, also=also, do=do, undo=back, found=other)
        else:
            do, undo = f"chmod a-x {path}", f"chmod a+x {path}"
            name = f"binary {path}: not executable"
            yield Undo(name=name, own=own, also=also, do=do, undo=undo, found="not executable")


def _that_need(path: str, declared: dict[str, Any]) -> frozenset[Check]:
    """Checks that ask a program, and are red without it."""
    asked: dict[str, set[Check]] = {
        "/usr/local/bin/ctr": {("image", name) for name in declared["images"]},
        "/usr/local/bin/containerd": {
            ("setting", name) for name in declared["settings"] if name.startswith("containerd-")
        },
    }
    return frozenset(asked.get(path, ()))


def _units(declared: dict[str, Any], _: Ground) -> Iterator[Mutation]:
    words = {"enabled": "ENABLED_UNITS", "masked": "MASKED_UNITS"}
    for name, state in declared["units"].items():
        own = frozenset({("unit", name)})
        if state == "enabled" and f"/etc/systemd/system/{name}" not in declared["files"]:
            # Its package enables it, too.
            do, undo = f"systemctl --quiet disable {name}", f"systemctl --quiet enable {name}"
            yield Undo(name=f"unit {name}: disabled", own=own, do=do, undo=undo)
        else:
            yield Drop(name=f"unit {name}: not {state}", own=own, edit=without_word(words[state], name))


def _files(declared: dict[str, Any], _: Ground) -> Iterator[Mutation]:
    unit_files = {f"/etc/systemd/system/{name}" for name in declared["units"]}
    for path, wanted in declared["files"].items():
        own, content = frozenset({("file", path)}), frozenset({("content", path)} if "sha256" in wanted else ())
        # Once: another mutation of the same round may have changed it already.
        kept = f"{{ [ -e /run/kept{path} ] || {{ mkdir -p /run/kept && cp -a --parents {path} /run/kept; }}; }}"
        back = f"rm -rf {path} && cp -a /run/kept{path} {path}"
        later = path in _NEEDED_LATER or path in unit_files
        if later:
            also = (
                content
                | _that_stand_in(path)
                | {("unit", unit) for unit in declared["units"] if path.endswith(f"/{unit}")}
            )
            yield Undo(
                name=f"file {path}: not there", own=own, also=also, perhaps=_perhaps(path),
                do=f"{kept} && rm {path}", undo=back, found="absent",
            )  # fmt: skip
        else:
            yield Drop(name=f"file {path}: not installed", own=own, also=content, edit=without_file(path))
        if content and later:
            yield Undo(name=f"file {path}: a byte more", own=content, do=f"{kept} && echo >> {path}", undo=back)
        elif content:
            yield Drop(name=f"file {path}: a byte more", own=content, edit=one_byte_more(path))
        yield Undo(
            name=f"file {path}: another mode", own=own, do=f"{kept} && chmod 0700 {path}", undo=back, found="0700"
        )
        yield Undo(name=f"file {path}: another owner", own=own, do=f"{kept} && chown 7 {path}", undo=back, found="of 7")


def _that_stand_in(path: str) -> frozenset[Check]:
    return frozenset({("setting", "containerd-cgroups")} if path == f"/{_CONFIG}" else ())


def _perhaps(path: str) -> frozenset[Check]:
    """Without its file containerd takes a sandbox image of its own, which may be the same."""
    return frozenset({("setting", "containerd-sandbox")} if path == f"/{_CONFIG}" else ())


def _sysctls(declared: dict[str, Any], ground: Ground) -> Iterator[Mutation]:
    content = frozenset({("content", f"/{_SYSCTLS}")})
    for key, value in declared["sysctls"].items():
        own, other = frozenset({("sysctl", key)}), f"sysctl --quiet --write {key}={wrong(value)}"
        if key in ground.namespaced:
            line = re.compile(rf"(?m)^{re.escape(key)} *=.*\n")
            yield Drop(
                name=f"sysctl {key}: no line", own=own, also=content, edit=replaced(f"{FILES}/{_SYSCTLS}", line, ""),
                given=other, group=_SYSCTLS,
            )  # fmt: skip
        back = f"sysctl --quiet --write {key}={shlex.quote(value)}"
        yield Undo(name=f"sysctl {key}: another value", own=own, do=other, undo=back)


def _images(declared: dict[str, Any], ground: Ground) -> Iterator[Mutation]:
    ctr, label = "ctr --namespace=k8s.io images", "--label=io.cri-containerd.pinned=pinned"
    names = frozenset(("image", name) for name in declared["images"])
    word = re.compile(r' --label="\$pin"')
    yield Drop(
        name="images: not pinned", own=names, edit=replaced(f"{SCRIPTS}70-import-images.sh", word, ""),
        # containerd pins its sandbox image itself: only where it has another one, ours is the one cause for all.
        group=_CONFIG,
    )  # fmt: skip
    for name in declared["images"]:
        own, archive = frozenset({("image", name)}), ground.archives.get(name, "")
        again = f"{ctr} import --local {label} /var/tmp/imagegen/source/{archive} >/dev/null"
        # The runtime keeps a second name for each image, by which its snapshots would stay.
        digest = f"$({ctr} list name=={name} | awk 'NR == 2 {{print $3}}')"
        others = f"$({ctr} list | awk -v digest={digest} '$3 == digest && /^sha256:/ {{print $1}}')"
        gone = f"{ctr} rm --sync {others} {name} >/dev/null"
        yield Undo(name=f"image {name}: not imported", own=own, do=gone, undo=again, found="absent")
        packed = f"{gone} && {again.replace('--local', '--local --no-unpack')}"
        yield Undo(
            name=f"image {name}: not unpacked", own=own, do=packed, undo=f"{gone} && {again}", found="not unpacked"
        )


def _settings(declared: dict[str, Any], _: Ground) -> Iterator[Mutation]:
    for name in declared["settings"]:
        yield SETTINGS[name]


def _setting(name: str) -> frozenset[Check]:
    return frozenset({("setting", name)})


SETTINGS: dict[str, Mutation] = {
    "swap": Drop(
        name="setting swap: its line stays in fstab",
        own=_setting("swap"),
        edit=replaced(f"{SCRIPTS}20-prepare-system.sh", re.compile(r"(?m)^ *sed -i .*fstab\n"), ""),
        given="echo 'UUID=5a none swap sw 0 0' >> /etc/fstab",
    ),
    "containerd-cgroups": Drop(
        name="setting containerd-cgroups: its line is not there",
        own=_setting("containerd-cgroups"),
        also=frozenset({("content", f"/{_CONFIG}")}),
        edit=replaced(f"{FILES}/{_CONFIG}", re.compile(r"(?m)^ *SystemdCgroup = true\n"), ""),
        group=_CONFIG,
    ),
    "containerd-sandbox": Drop(
        name="setting containerd-sandbox: another image",
        own=_setting("containerd-sandbox"),
        also=frozenset({("content", f"/{_CONFIG}")}),
        edit=replaced(f"{FILES}/{_CONFIG}", re.compile(r"(?m)^ *sandbox = .*$"), "  sandbox = 'other:1'"),
        group=_CONFIG,
    ),
    "chrony-folders": Undo(
        name="setting chrony-folders: not read",
        own=_setting("chrony-folders"),
        do="sed -i.kept /^sourcedir/d /etc/chrony/chrony.conf",
        undo="mv /etc/chrony/chrony.conf.kept /etc/chrony/chrony.conf",
    ),
    "kubelet": Undo(
        name="setting kubelet: started",
        own=_setting("kubelet"),
        do="mkdir -p /var/lib/kubelet && touch /var/lib/kubelet/config.yaml && systemctl start kubelet.service",
        undo="systemctl stop kubelet.service; rm -r /var/lib/kubelet; systemctl reset-failed kubelet.service || true",
    ),
}
"""How each declared setting is dropped."""

OF_OTHER_FAMILIES = {
    "cgroups": "of systems whose default is version 1: kernel arguments",
    "selinux": "of systems that have it",
}
"""Settings that no Debian declares; their scripts run against stub packages only, and their checks are unit-tested."""

SINGULAR = {
    "modules": "module", "sysctls": "sysctl", "packages": "package", "binaries": "binary", "units": "unit",
    "files": "file", "holds": "hold", "images": "image", "settings": "setting",
}  # fmt: skip
"""Kind in a report by kind in declared.json."""

BY_KIND: dict[str, Callable[[dict[str, Any], Ground], Iterator[Mutation]]] = {
    "sysctls": _sysctls,
    "packages": _packages,
    "holds": _holds,
    "binaries": _binaries,
    "units": _units,
    "files": _files,
    "images": _images,
    "settings": _settings,
}
"""Kinds that an nspawn machine can show; `modules` needs a kernel of its own: tests/vm."""
