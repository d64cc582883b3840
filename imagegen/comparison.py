"""Two renders compared by what they mean: a new image, new user-data, or nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import unified_diff

from imagegen.inspection import UndecodableError, inspect_artifact
from imagegen.plan import STOCK_PAYLOAD

_MANIFEST = "manifest.json"
_USER_DATA = re.compile(r"user-data/(?P<role>[^/]+)\.yaml")
_IMAGE = re.compile(r"images/(?P<image>[^/]+)/packer/(?P<path>.+)")
_STOCK = re.compile(r"images/(?P<image>[^/]+)/stock/[^/]+")
# The build machine's own access: it changes with the bundle and leaves no trace in the image.
_BUILD_ONLY = ("seed/user-data", "build-key")
_MASKS = (
    (re.compile(r"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(-----END)", re.DOTALL), r"\1 *** \2"),
    (re.compile(r"\b([a-z0-9]{6})\.[a-z0-9]{16}\b"), r"\1.***"),
    (re.compile(r"(\bsecret: )\S+"), r"\1***"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One file that differs: `scope` is a role or an image, `lines` a unified diff without secrets."""

    scope: str
    path: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What differs, by what has to be done about it."""

    images: tuple[Change, ...]
    user_data: tuple[Change, ...]

    @property
    def verdict(self) -> str:
        """What the differences mean, in a sentence."""
        if self.images and self.user_data:
            return "a new image and new user-data: bake, then replace nodes"
        if self.images:
            return "a new image: bake, then replace nodes"
        if self.user_data:
            return "new user-data: machines made from now on differ, those that run do not"
        return "nothing: no image and no user-data changes"


def compare(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> Comparison:
    """Compare two output folders, given as path → content."""
    images = _image_files(new)
    made = {scope for scope, _ in images}
    # An image that is made no more is nothing to do; who booted it is told by its role.
    before = {(scope, path): content for (scope, path), content in _image_files(old).items() if scope in made}
    return Comparison(
        images=tuple(_changes(before, images)),
        user_data=tuple(_changes(_node_files(old), _node_files(new))),
    )


def _image_files(tree: Mapping[str, bytes]) -> dict[tuple[str, str], bytes]:
    found = ((_IMAGE.fullmatch(path), content) for path, content in tree.items())
    return {
        (match["image"], match["path"]): content
        for match, content in found
        if match and match["path"] not in _BUILD_ONLY and not _is_derived(match["path"])
    }


def _is_derived(path: str) -> bool:
    # They repeat the fingerprint of all the others.
    return path in {"image.env", "files/etc/imagegen/image.json", "seed/meta-data"} or path.endswith(".pkrvars.json")


def _node_files(tree: Mapping[str, bytes]) -> dict[tuple[str, str], bytes]:
    files: dict[tuple[str, str], bytes] = {}
    for path, content in tree.items():
        if match := _USER_DATA.fullmatch(path):
            files |= {(match["role"], name): body for name, body in _taken_apart(content)}
        elif match := _STOCK.fullmatch(path):
            # What machines of this image download to install themselves with.
            files |= {(match["image"], name): body for name, body in _taken_apart(content)}
    # What a launch template names beside the user-data.
    roles = json.loads(tree.get(_MANIFEST, b"{}")).get("userData", {})
    return files | {(role, "(image)"): f"{data['image']}\n".encode() for role, data in roles.items() if "image" in data}


def _taken_apart(user_data: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        inspection = inspect_artifact(user_data)
    except UndecodableError:
        yield "(user-data)", user_data
        return
    for part in inspection.parts:
        for file in part.files:
            # What is packed in it follows it, a file each.
            if file.path != STOCK_PAYLOAD:
                yield f"{file.path} (mode {file.mode})", file.content
        yield "(settings)", json.dumps(part.settings, indent=1, sort_keys=True).encode()


def _changes(old: Mapping[tuple[str, str], bytes], new: Mapping[tuple[str, str], bytes]) -> Iterator[Change]:
    scopes = [{scope for scope, _ in files} for files in (old, new)]
    for scope in sorted(scopes[0] ^ scopes[1]):
        word = "new" if scope in scopes[1] else "gone"
        yield Change(scope=scope, path="(all of it)", lines=(word,))
    both = scopes[0] & scopes[1]
    for scope, path in sorted(key for key in old.keys() | new.keys() if key[0] in both):
        before, after = old.get((scope, path), b""), new.get((scope, path), b"")
        if before != after:
            yield Change(scope=scope, path=path, lines=tuple(_lines(before, after)))


def _lines(before: bytes, after: bytes) -> Iterator[str]:
    old, new = (_masked(content.decode("utf-8", "replace")).splitlines() for content in (before, after))
    # The first two lines of a unified diff name files; these are named by the change itself.
    yield from list(unified_diff(old, new, n=1, lineterm=""))[2:] or ["(only a secret differs)"]


def _masked(text: str) -> str:
    for pattern, replacement in _MASKS:
        text = pattern.sub(replacement, text)
    return text
