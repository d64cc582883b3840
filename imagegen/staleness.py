"""Whether an image that was baked is still what the spec asks for, and if not, why."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from imagegen.inventory import Inventory
from imagegen.records import Baked

_LONGEST = 60
# What a name holds of a SHA-256's digits, and what the longest label of Google Cloud does.
_CUT_OFF = (12, 63)
# These are about what others name: said where none of the others differs.
_SUMS = ("bundle", "locked files")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is to be said of one image of a spec: `newest` is None where none was baked."""

    image: str
    newest: Baked | None
    reasons: tuple[str, ...]

    @property
    def fresh(self) -> bool:
        return not self.reasons


def judge(
    image: str,
    contents: Mapping[str, str],
    fingerprint: str,
    records: Sequence[Baked],
    inventory: Inventory | None = None,
) -> Verdict:
    """Compare what the spec asks for with the newest image of that name; `inventory` is what one of them holds."""
    own = sorted((record for record in records if record.name == image), key=lambda record: record.made)
    if not own:
        return Verdict(image=image, newest=None, reasons=("it was never baked",))
    newest = own[-1]
    if _is_same(newest.fingerprint, fingerprint):
        return Verdict(image=image, newest=newest, reasons=())
    found = inventory is not None and inventory.fingerprint == newest.fingerprint
    held = dict(_versions(inventory)) if inventory and found else {}
    return Verdict(image=image, newest=newest, reasons=tuple(_reasons(newest, held, contents)))


def _is_same(recorded: str, fingerprint: str) -> bool:
    return recorded == fingerprint or (len(recorded) in _CUT_OFF and fingerprint.startswith(recorded))


def _versions(inventory: Inventory) -> Iterator[tuple[str, str]]:
    """What was really baked, by the names that a lock has for it."""
    for package in inventory.packages:
        yield package.name, package.version
    for binary in inventory.binaries:
        if binary.version:
            yield binary.name, binary.version
    for image in inventory.images:
        repository, _, tag = image.reference.rpartition(":")
        yield repository, tag


def _reasons(newest: Baked, held: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    old = {**held, **newest.contents}
    differing = {name: list(_changes(name, old[name], new[name])) for name in new if name in old}
    if newest.complete:
        differing |= {name: [f"{_named(name, new[name])} is new"] for name in new if name not in old}
        gone = (name for name in newest.contents if name not in new)
        differing |= {name: [f"{_named(name, old[name])} is gone"] for name in gone}
    parts = [line for name, lines in differing.items() if name not in _SUMS for line in lines]
    yield from parts or [line for lines in differing.values() for line in lines]
    if not any(differing.values()):
        unknown = ", ".join(name for name in new if name not in old) or "another version of imagegen made it"
        yield f"its fingerprint differs, and its record does not say in what: {unknown}"


def _named(name: str, value: str) -> str:
    text = f"{name} {value}"
    return text if len(text) <= _LONGEST else name


def _changes(name: str, old: str, new: str) -> Iterator[str]:
    if old == new:
        return
    before, after = _as_mapping(old), _as_mapping(new)
    if before is not None and after is not None:
        for key in sorted({**before, **after}):
            yield from _changes(f"{name}: {key}", before.get(key, "nothing"), after.get(key, "nothing"))
    else:
        yield _change(name, old, new)


def _as_mapping(text: str) -> dict[str, str] | None:
    if not text.startswith("{"):
        return None
    try:
        data = json.loads(text)
    except ValueError:
        return None
    return {key: str(value) for key, value in data.items()}


def _change(name: str, old: str, new: str) -> str:
    words_before, words_after = old.split(), new.split()
    if len(words_before) > 1 or len(words_after) > 1:
        added = [f"+{word}" for word in words_after if word not in words_before]
        removed = [f"-{word}" for word in words_before if word not in words_after]
        short = f"{name}: {' '.join([*removed, *added]) or 'another order'}"
    else:
        short = f"{name} {old} → {new}"
    # Two hashes side by side tell a person nothing.
    return short if len(short) <= _LONGEST else f"{name} changed"
