"""Whether an image that was baked is still what the spec asks for, and if not, why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_TAG = "imagegen/"
_LONGEST = 60


class UnknownListError(Exception):
    """The data is neither Packer's manifest nor a cloud's list of images."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baked:
    """An image that was baked: `contents` as far as its record tells, `made` in a form whose order is time's."""

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
    """The images in Packer's manifest.json, in `aliyun ecs DescribeImages`, or in `aws ec2 describe-images`.

    Images that were not made by imagegen are left out; `UnknownListError` for anything else.
    """
    for recognise in (_packer_builds, _alicloud_images, _aws_images):
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
    if newest.fingerprint == fingerprint:
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


def _packer_builds(data: Any) -> Iterator[Baked] | None:
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


def _alicloud_images(data: Any) -> Iterator[Baked] | None:
    images = _at(data, "Images", "Image")
    return _from_cloud(images, "ImageName", "CreationTime") if isinstance(images, list) else None


def _aws_images(data: Any) -> Iterator[Baked] | None:
    images = _at(data, "Images")
    return _from_cloud(images, "Name", "CreationDate") if isinstance(images, list) else None


def _from_cloud(images: Sequence[Any], name: str, made: str) -> Iterator[Baked]:
    for image in map(_mapping, images):
        tags = dict(_tags(image.get("Tags") or ()))
        yield Baked(
            # <name>-<version>-<fingerprint>
            name=tags.get("image", "").rsplit("-", 2)[0],
            identity=" ".join(str(image[key]) for key in ("ImageId", name) if key in image),
            made=str(image.get(made, "")),
            fingerprint=tags.get("fingerprint", ""),
            contents=tags,
        )


def _tags(tags: Any) -> Iterator[tuple[str, str]]:
    listed = tags.get("Tag") if isinstance(tags, dict) else tags
    for tag in map(_mapping, listed if isinstance(listed, list) else ()):
        key = str(tag.get("TagKey", tag.get("Key", "")))
        if key.startswith(_TAG):
            yield key.removeprefix(_TAG), str(tag.get("TagValue", tag.get("Value", "")))


def _mapping(data: Any) -> Mapping[str, Any]:
    return data if isinstance(data, dict) else {}


def _at(data: Any, *path: str) -> Any:
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return data
