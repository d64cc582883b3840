"""A lock as YAML: text becomes data, and data becomes text in one order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imagegen import yaml_dump
from imagegen.diagnostics import Diagnostic
from imagegen.document import Document, parse
from imagegen.lock import (
    FOLDERS,
    Archive,
    BaseDisk,
    FileKind,
    Lock,
    LockedFile,
    LockedImage,
    Provision,
    Source,
    file_as_data,
)
from imagegen.schema import check_schema

_HEAD = """\
# What the image is made of, to the byte. Made by `imagegen lock`: commit it, and run that again for newer versions.
"""


def read_lock(
    text: str, file: str, schema: Mapping[str, Any]
) -> tuple[Lock | None, Document | None, tuple[Diagnostic, ...]]:
    """The lock and the document it stands in; findings where it is none (those of YAML and schema, and IG293)."""
    document, findings = parse(text, file)
    if document is None:
        return None, None, findings
    findings = check_schema(document.data, schema, "Lock") or tuple(_wrong_paths(document.data))
    return (None if findings else _decode(document.data)), document, findings


def write_lock(lock: Lock) -> str:
    """The text of a lock: the same lock, the same text."""
    data = {
        "apiVersion": "imagegen/v1alpha1",
        "kind": "Lock",
        "metadata": {"name": lock.name},
        "os": lock.os,
        "kubernetes": lock.kubernetes,
        "source": str(lock.source),
        "architectures": {name: _encode(lock.architectures[name]) for name in sorted(lock.architectures)},
    }
    return _HEAD + yaml_dump.dump(data)


def _wrong_paths(data: Mapping[str, Any]) -> list[Diagnostic]:
    findings = []
    for architecture, provision in data["architectures"].items():
        seen: set[str] = set()
        for part in ("files", "images"):
            for number, entry in enumerate(provision[part]):
                path = entry["path"]
                folder = FOLDERS[FileKind(entry["kind"])] if "kind" in entry else "images"
                problem = "stands twice" if path in seen else f"must be in {folder}/"
                if path in seen or not path.startswith(f"{folder}/"):
                    place = ("architectures", architecture, part, number, "path")
                    findings.append(Diagnostic(code="IG293", message=f"`{path}` {problem}", hint=_AGAIN, path=place))
                seen.add(path)
    return findings


_AGAIN = "a lock is not written by hand: run `imagegen lock` again"


def _decode(data: Mapping[str, Any]) -> Lock:
    return Lock(
        name=data["metadata"]["name"],
        os=data["os"],
        kubernetes=data["kubernetes"],
        source=Source(data["source"]),
        architectures={name: _provision(provision) for name, provision in data["architectures"].items()},
    )


def _provision(data: Mapping[str, Any]) -> Provision:
    return Provision(
        base=BaseDisk(**data["base"]) if "base" in data else None,
        files=tuple(_file(file) for file in data["files"]),
        images=tuple(LockedImage(**image) for image in data["images"]),
    )


def _file(data: Mapping[str, Any]) -> LockedFile:
    archive = Archive(**data["archive"]) if "archive" in data else None
    return LockedFile(**{**data, "kind": FileKind(data["kind"]), "archive": archive})


def _encode(provision: Provision) -> dict[str, Any]:
    base = provision.base
    images = (
        {"name": image.name, "digest": image.digest, "path": image.path, "sha256": image.sha256, "size": image.size}
        for image in sorted(provision.images, key=lambda image: image.path)
    )
    return {
        **({"base": {"url": base.url, "sha256": base.sha256}} if base else {}),
        "files": [file_as_data(file) for file in sorted(provision.files, key=lambda file: file.path)],
        "images": list(images),
    }
