"""What a new lock changes, in words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from imagegen.lock import Lock, Provision

_DATE = re.compile("[0-9]{8}")


def changes_of(old: Lock | None, new: Lock) -> tuple[str, ...]:
    """A line for each thing that changed; none: the locks are the same."""
    if old is None:
        return ()
    lines = [
        f"{what} {before} → {after}"
        for what, before, after in (
            ("os", old.os, new.os),
            ("kubernetes", old.kubernetes, new.kubernetes),
            ("source", old.source, new.source),
        )
        if before != after
    ]
    for architecture in sorted({*old.architectures, *new.architectures}):
        if architecture not in new.architectures:
            lines.append(f"{architecture}: no more")
        elif architecture not in old.architectures:
            lines.append(f"{architecture}: new")
        else:
            both = old.architectures[architecture], new.architectures[architecture]
            lines += [f"{architecture}: {line}" for line in _provision_changes(*both)]
    return tuple(lines)


def _provision_changes(old: Provision, new: Provision) -> Iterator[str]:
    before, after = _named(old), _named(new)
    for name in sorted({*before, *after}):
        if name not in after:
            yield f"{name} {before[name][0]} no more"
        elif name not in before:
            yield f"{name} {after[name][0]} new"
        elif before[name][0] != after[name][0]:
            yield f"{name} {before[name][0]} → {after[name][0]}"
        elif before[name] != after[name]:
            yield f"{name} {after[name][0]}: the same version, but other bytes or another address"


def _named(provision: Provision) -> dict[str, tuple[object, ...]]:
    named: dict[str, tuple[object, ...]] = {file.name: (file.version, file) for file in provision.files}
    named |= {image.name.rpartition(":")[0]: (image.version, image) for image in provision.images}
    if provision.base:
        named["base disk"] = (_build(provision.base.url), provision.base)
    return named


def _build(url: str) -> str:
    """A disk's name; where its name is that of all builds, with the folder that it lies in."""
    folder, name = url.split("/")[-2:]
    return name if _DATE.search(name) else f"{folder}/{name}"
