"""What tells of images that were baked: Packer's manifest, and the lists that clouds give of their images."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# A cloud that has no slash in the names of its tags has a hyphen there.
_PREFIXES = ("imagegen/", "imagegen-")
# A copy has its name alone, where a cloud copies no tags.
_NAME = re.compile(r"^(?P<name>.+)-(?P<kubernetes>\d+\.\d+\.\d+)-(?P<fingerprint>[0-9a-f]{12})$")
# What Packer's manifest says beside the contents.
_NO_CONTENTS = {"image", "fingerprint"}


class UnknownListError(Exception):
    """The data is neither Packer's manifest nor a cloud's list of images."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baked:
    """An image that was baked: `made` in a form whose order is time's.

    `contents` is what its record says of what is in it: all of it where the record is `complete`. The fingerprint may
    be cut off: a name holds 12 digits of it, the longest label of Google Cloud 63.
    """

    name: str
    identity: str
    made: str
    fingerprint: str
    contents: Mapping[str, str]
    complete: bool = False


def read_records(data: Any) -> tuple[Baked, ...]:
    """The images in Packer's manifest.json or in a cloud's list, as its own command line gives it.

    Images that were not made by imagegen are left out; `UnknownListError` for anything else.
    """
    lists = (_packer_builds, _alicloud_images, _aws_images, _glance_images, _templates, _plain_list, _openstack_image)
    for recognise in lists:
        found = recognise(data)
        if found is not None:
            return tuple(record for record in found if record.fingerprint)
    raise UnknownListError


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
        contents={name: str(value) for name, value in said.items() if name not in _NO_CONTENTS},
        complete=True,
    )


def _alicloud_images(data: Any) -> Iterator[Baked] | None:
    images = _at(data, "Images", "Image")
    return _tagged(images, "ImageId", "ImageName", "CreationTime") if isinstance(images, list) else None


def _aws_images(data: Any) -> Iterator[Baked] | None:
    images = _at(data, "Images")
    return _tagged(images, "ImageId", "Name", "CreationDate") if isinstance(images, list) else None


def _tagged(images: Sequence[Any], identity: str, name: str, made: str) -> Iterator[Baked]:
    for image in map(_mapping, images):
        said = " ".join(str(image[key]) for key in (identity, name) if key in image)
        tags = dict(_listed_tags(image.get("Tags") or ()))
        yield _from_tags(tags, said, str(image.get(made, "")), str(image.get(name, "")))


def _listed_tags(tags: Any) -> Iterator[tuple[str, str]]:
    listed = tags.get("Tag") if isinstance(tags, dict) else tags
    for tag in map(_mapping, listed if isinstance(listed, list) else ()):
        yield str(tag.get("TagKey", tag.get("Key", ""))), str(tag.get("TagValue", tag.get("Value", "")))


def _glance_images(data: Any) -> Iterator[Baked] | None:
    images = _at(data, "images")
    return map(_from_openstack, map(_mapping, images)) if isinstance(images, list) else None


def _openstack_image(data: Any) -> Iterator[Baked] | None:
    return iter([_from_openstack(data)]) if isinstance(_at(data, "properties"), dict) else None


def _from_openstack(image: Mapping[str, Any]) -> Baked:
    # `openstack image show` has the properties apart, Glance's own list among the rest.
    properties = {**image, **_mapping(image.get("properties"))}
    return _from_tags(properties, str(image.get("id", "")), str(image.get("created_at", "")))


def _templates(data: Any) -> Iterator[Baked] | None:
    """`govc vm.info -json`: a template has notes in place of tags."""
    machines = _at(data, "virtualMachines")
    return map(_from_template, map(_mapping, machines)) if isinstance(machines, list) else None


def _from_template(machine: Mapping[str, Any]) -> Baked:
    name, config = str(machine.get("name", "")), _mapping(machine.get("config"))
    try:
        notes = _mapping(json.loads(str(config.get("annotation", ""))))
    except ValueError:
        notes = {}
    return _from_tags(notes, name, str(config.get("createDate", "")), name)


def _plain_list(data: Any) -> Iterator[Baked] | None:
    """Google Cloud, Azure, and what `openstack image show` says of several."""
    if not isinstance(data, list) or not all(isinstance(image, dict) for image in data):
        return None
    return map(_from_plain, data)


def _from_plain(image: Mapping[str, Any]) -> Baked:
    if "properties" in image:
        return _from_openstack(image)
    if "creationTimestamp" in image:
        # Labels there have neither dots nor the last of 64 digits.
        return _from_tags(_mapping(image.get("labels")), str(image.get("name", "")), str(image["creationTimestamp"]))
    tags = _mapping(image.get("tags"))
    published = _at(image, "publishingProfile", "publishedDate")
    return _from_tags(tags, str(image.get("id", "")), str(published or tags.get("imagegen-made", "")))


def _from_tags(tags: Mapping[str, Any], identity: str, made: str, called: str = "") -> Baked:
    own = {
        str(key).removeprefix(prefix): str(value)
        for key, value in tags.items()
        for prefix in _PREFIXES
        if str(key).startswith(prefix)
    }
    if "fingerprint" not in own and (found := _NAME.match(called)):
        own = {**found.groupdict(), "image": called}
        del own["name"]
    version, fingerprint = own.get("kubernetes", ""), own.get("fingerprint", "")
    return Baked(
        name=own.get("image", "").removesuffix(f"-{version}-{fingerprint[:12]}"),
        identity=identity,
        made=made,
        fingerprint=fingerprint,
        contents={**own, "kubernetes": version.replace("-", ".")} if version else own,
    )


def _mapping(data: Any) -> Mapping[str, Any]:
    return data if isinstance(data, dict) else {}


def _at(data: Any, *path: str) -> Any:
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return data
