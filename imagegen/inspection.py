"""User-data in any form a provider takes becomes readable again: base64, gzip, MIME, cloud-config."""

from __future__ import annotations

import binascii
import json
import zlib
from base64 import b64decode, b85decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from typing import Any

import yaml

from imagegen.plan import STOCK_PAYLOAD, STOCK_WORK

MAX_BYTES = 32 << 20
_GZIP = b"\x1f\x8b"
_GZIP_WINDOW = 31
_XZ = b"\xfd7zXZ\x00"
# cloud-init's other formats (its documentation, "User data formats"): told apart, not taken apart.
_OTHER_HEADERS = (
    b"#cloud-boothook",
    b"#cloud-config-archive",
    b"#include-once",
    b"#include",
    b"#part-handler",
    b"## template: jinja",
)
_MIME = (b"Content-Type:", b"MIME-Version:")
_ENCODINGS = {
    "b64": ("base64",),
    "base64": ("base64",),
    "gz": ("gzip",),
    "gzip": ("gzip",),
    "gz+b64": ("base64", "gzip"),
    "gz+base64": ("base64", "gzip"),
    "gzip+b64": ("base64", "gzip"),
    "gzip+base64": ("base64", "gzip"),
}


# The machine's own doing, not cloud-init's: nobody else may read them.
_UNPACKED = "0600"


class UndecodableError(Exception):
    """The bytes are no user-data; the message says what they look like."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenFile:
    """A file that cloud-init would write; `mode` in octal, as it is written there."""

    path: str
    mode: str
    encoding: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of the user-data: what it is, its text, the files in it, and its other settings."""

    kind: str
    text: bytes
    files: tuple[WrittenFile, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """The layers around the user-data, outermost first, and its parts."""

    layers: tuple[str, ...]
    parts: tuple[Part, ...]


def inspect_artifact(data: bytes) -> Inspection:
    """Take an artifact apart; `UndecodableError` where it is none."""
    layers: list[str] = []
    while True:
        if data.startswith(_GZIP):
            layers.append("gzip")
            data = _gunzip(data)
        elif (inner := _unbase64(data)) is not None:
            layers.append("base64")
            data = inner
        else:
            break
    if data.startswith(_XZ):
        files = tuple(unpack_stock(data))
        return Inspection(layers=(*layers, "xz"), parts=(Part(kind="stock payload", text=data, files=files),))
    if data.lstrip().startswith(_MIME):
        layers.append("MIME")
        return Inspection(layers=tuple(layers), parts=_mime_parts(data.lstrip()))
    return Inspection(layers=tuple(layers), parts=(_part(data),))


def unpack_stock(packed: bytes) -> Iterator[WrittenFile]:
    """The files that a machine installs itself with, at the places where it unpacks them."""
    import lzma  # noqa: PLC0415  few artifacts need it

    try:
        texts = json.loads(lzma.LZMADecompressor().decompress(packed, MAX_BYTES))
    except (lzma.LZMAError, ValueError) as error:
        raise UndecodableError(f"a packed install that is broken ({error})") from None
    for path, text in sorted(texts.items()):
        yield WrittenFile(path=f"{STOCK_WORK}/{path}", mode=_UNPACKED, encoding="packed", content=text.encode())


def _gunzip(data: bytes) -> bytes:
    inflater = zlib.decompressobj(_GZIP_WINDOW)
    try:
        content = inflater.decompress(data, MAX_BYTES)
    except zlib.error as error:
        raise UndecodableError(f"a gzip stream that is broken ({error})") from None
    if inflater.unconsumed_tail:
        raise UndecodableError(f"a gzip stream that holds more than {MAX_BYTES} bytes")
    if not inflater.eof:
        raise UndecodableError("a gzip stream that is cut off")
    return content


def _unbase64(data: bytes) -> bytes | None:
    """The bytes behind base64, if that is what the text is; cloud-config and scripts never are."""
    compact = b"".join(data.split())
    if not compact or data.startswith(b"#"):
        return None
    try:
        return b64decode(compact, validate=True)
    except (binascii.Error, ValueError):
        return None


def _mime_parts(data: bytes) -> tuple[Part, ...]:
    message = message_from_bytes(data)
    leaves = [leaf for leaf in message.walk() if not leaf.is_multipart()]
    contents = [content for leaf in leaves if isinstance(content := leaf.get_payload(decode=True), bytes)]
    return tuple(_part(_gunzip(content) if content.startswith(_GZIP) else content) for content in contents)


def _part(data: bytes) -> Part:
    first = data.lstrip().split(b"\n", 1)[0].strip()
    if first.lower() == b"#cloud-config":
        config = _config(data)
        entries = config.pop("write_files", None) or ()
        files = tuple(file for entry in entries if isinstance(entry, dict) for file in _files(entry))
        return Part(kind="cloud-config", text=data, files=files, settings=config)
    if first.startswith(b"#!"):
        return Part(kind="script", text=data)
    for header in _OTHER_HEADERS:
        if first.startswith(header):
            return Part(kind=header.decode().lstrip("# "), text=data)
    raise UndecodableError("neither cloud-config, a script, MIME, gzip nor base64 of one of them")


def _config(data: bytes) -> dict[str, Any]:
    try:
        config = yaml.safe_load(data)
    except yaml.YAMLError as error:
        raise UndecodableError(f"a cloud-config that is not YAML: {error}") from None
    return config if isinstance(config, dict) else {}


def _files(entry: dict[str, Any]) -> Iterator[WrittenFile]:
    file = _file(entry)
    yield file
    if file.path == STOCK_PAYLOAD:
        try:
            packed = b85decode(file.content.strip())
        except ValueError:
            raise UndecodableError(f"a cloud-config whose file {file.path} is not base85") from None
        yield from unpack_stock(packed)


def _file(entry: dict[str, Any]) -> WrittenFile:
    content = entry.get("content", "")
    encoding = str(entry.get("encoding", "text/plain"))
    decoded = content if isinstance(content, bytes) else str(content).encode()
    for step in _ENCODINGS.get(encoding.lower(), ()):
        unpacked = _unbase64(decoded) if step == "base64" else _gunzip(decoded)
        if unpacked is None:
            raise UndecodableError(f"a cloud-config whose file {entry.get('path')} is not {encoding}")
        decoded = unpacked
    mode = entry.get("permissions", "0644")
    return WrittenFile(path=str(entry.get("path", "")), mode=str(mode), encoding=encoding, content=decoded)
