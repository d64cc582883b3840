"""Whether an image that was baked is still what the spec asks for, and if not, why."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Where a slash is not allowed, a hyphen stands for it.
_TAG = re.compile(r"^imagegen[/-](.+)$")
_NAME = re.compile(r"^(?P<name>.+)-(?P<kubernetes>\d+\.\d+\.\d+)-(?P<fingerprint>[0-9a-f]{12})$")
_LONGEST = 60


class UnknownListError(Exception):
    """The data is neither Packer's manifest nor a cloud's list of images."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baked:
    """An image that was baked: `contents` as far as its record tells, `made` in a form whose order is time's.

    The fingerprint may be cut off: a name holds its first 12 digits, a label of Google Cloud 63.
    """

    name: str
    identity: str
    made: str
    fingerprint: str
    contents: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is to be said of one image of a spec: `newest` is None where none was baked."""

    image: str
    newest: Baked | None
    reasons: tuple[str, ...]

    @property
    def fresh(self) -> bool:
        return not self.reasons


def read_records(data: Any) -> tuple[Baked, ...]:
    """The images in Packer's manifest.json, or in the JSON of a cloud's own command (`docs/baking.md` names them).

    Images that were not made by imagegen are left out; `UnknownListError` for anything else.
    """
    for recognise in (_packer_builds, _alicloud_images, _aws_images, _labelled_images, _glance_images, _templates):
        found = recognise(data)
        if found is not None:
            return tuple(record for record in found if record.fingerprint)
    raise UnknownListError


def judge(image: str, contents: Mapping[str, str], fingerprint: str, records: Sequence[Baked]) -> Verdict:
    """Compare what the spec asks for with the newest image of that name."""
    own = sorted((record for record in records if record.name == image), key=lambda record: record.made)
    if not own:
        return Verdict(image=image, newest=None, reasons=("it was never baked",))
    newest = own[-1]
    if fingerprint.startswith(newest.fingerprint):
        return Verdict(image=image, newest=newest, reasons=())
    return Verdict(image=image, newest=newest, reasons=tuple(_reasons(newest.contents, contents)))


def _reasons(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    changed = [name for name in new if name in old and old[name] != new[name]]
    for name in changed:
        yield _change(name, old[name], new[name])
    if not changed:
        unknown = ", ".join(name for name in new if name not in old) or "another version of imagegen made it"
        yield f"its fingerprint differs, and its record does not say in what: {unknown}"


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


def _packer_builds(data: Any) -> Iterable[Baked] | None:
    builds = _at(data, "builds")
    if not isinstance(builds, list):
        return None
    return (_from_packer(build) for build in builds if isinstance(build, dict))


def _from_packer(build: Mapping[str, Any]) -> Baked:
    said = _mapping(build.get("custom_data"))
    return Baked(
        name=str(said.get("name", "")),
        identity=str(build.get("artifact_id", "")),
        made=f"{int(build.get('build_time', 0)):020}",
        fingerprint=str(said.get("fingerprint", "")),
        contents=said,
    )


def _alicloud_images(data: Any) -> Iterable[Baked] | None:
    images = _at(data, "Images", "Image")
    return _tagged(images, "ImageName", "CreationTime") if isinstance(images, list) else None


def _aws_images(data: Any) -> Iterable[Baked] | None:
    images = _at(data, "Images")
    return _tagged(images, "Name", "CreationDate") if isinstance(images, list) else None


def _tagged(images: Sequence[Any], name: str, made: str) -> Iterator[Baked]:
    for image in map(_mapping, images):
        identity = " ".join(str(image[key]) for key in ("ImageId", name) if key in image)
        yield _record(str(image.get(name, "")), identity, str(image.get(made, "")), dict(_pairs(image.get("Tags"))))


def _pairs(tags: Any) -> Iterator[tuple[str, str]]:
    listed = tags.get("Tag") if isinstance(tags, dict) else tags
    for tag in map(_mapping, listed if isinstance(listed, list) else ()):
        yield str(tag.get("TagKey", tag.get("Key", ""))), str(tag.get("TagValue", tag.get("Value", "")))


def _labelled_images(data: Any) -> Iterable[Baked] | None:
    """`gcloud compute images list` and `az image list`."""
    if not isinstance(data, list):
        return None
    images = [(image, _mapping(image.get("labels") or image.get("tags"))) for image in map(_mapping, data)]
    return (
        _record(
            str(image.get("name", "")),
            str(image.get("name", "")),
            str(image.get("creationTimestamp") or tags.get("imagegen-made", "")),
            tags,
        )
        for image, tags in images
    )


def _glance_images(data: Any) -> Iterable[Baked] | None:
    """Glance's own list, and `openstack image show`."""
    images = [data] if _at(data, "properties") is not None else _at(data, "images")
    if not isinstance(images, list):
        return None
    return (
        _record(
            str(image.get("name", "")),
            f"{image.get('id', '')} {image.get('name', '')}",
            str(image.get("created_at", "")),
            {**image, **_mapping(image.get("properties"))},
        )
        for image in map(_mapping, images)
    )


def _templates(data: Any) -> Iterable[Baked] | None:
    """`govc vm.info -json`: a template has notes, and no tags."""
    machines = _at(data, "virtualMachines")
    return (_from_notes(_mapping(machine)) for machine in machines) if isinstance(machines, list) else None


def _from_notes(machine: Mapping[str, Any]) -> Baked:
    name, config = str(machine.get("name", "")), _mapping(machine.get("config"))
    try:
        notes = _mapping(json.loads(str(config.get("annotation", ""))))
    except ValueError:
        notes = {}
    return _record(name, name, str(config.get("createDate", "")), notes)


def _record(name: str, identity: str, made: str, tags: Mapping[str, Any]) -> Baked:
    said = {found[1]: str(value) for key, value in tags.items() if (found := _TAG.match(key))}
    if "fingerprint" not in said:
        # A copy has its name alone: <name>-<version>-<fingerprint>.
        by_name = _NAME.match(name)
        said = by_name.groupdict() if by_name else {}
        called = said.pop("name", "")
    else:
        ending = f"-{said.get('kubernetes', '')}-{said['fingerprint'][:12]}"
        called = said.get("image", "").removesuffix(ending)
    if "kubernetes" in said:
        # Labels of Google Cloud have no dots.
        said["kubernetes"] = said["kubernetes"].replace("-", ".")
    fingerprint = said.get("fingerprint", "")
    return Baked(name=called, identity=identity, made=made, fingerprint=fingerprint, contents=said)


def _mapping(data: Any) -> Mapping[str, Any]:
    return data if isinstance(data, dict) else {}


def _at(data: Any, *path: str) -> Any:
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return data
