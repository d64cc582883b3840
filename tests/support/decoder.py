"""User-data taken apart without imagegen's own means, and everything that hides in some bytes."""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BASE64 = re.compile(rb"(?:[A-Za-z0-9+/]{4,}[ \t\r\n]*)+={0,2}")
# Shorter ones hold no key; a bootstrap token and 32 bytes are looked for as they are, too.
_SHORTEST = 40
_DEEPEST = 8


def decoded(payload: bytes) -> dict[str, Any]:
    """The cloud-config in a payload as a provider's API takes it."""
    if not payload.startswith(b"#"):
        payload = b64decode(b"".join(payload.split()), validate=True)
    if payload.startswith(b"\x1f\x8b"):
        payload = gzip.decompress(payload)
    assert payload.startswith(b"#cloud-config\n")
    config: dict[str, Any] = load(payload)
    return config


def load(data: bytes) -> Any:
    """YAML, by libyaml where it is there."""
    return yaml.load(data, LOADER)  # noqa: S506  a safe one either way


def files(config: dict[str, Any]) -> dict[str, bytes]:
    """What `write_files` writes, by path."""
    return {entry["path"]: _content(entry) for entry in config["write_files"]}


def _content(entry: dict[str, Any]) -> bytes:
    content: bytes = entry["content"].encode()
    encoding = entry.get("encoding", "")
    if encoding.endswith("b64"):
        content = b64decode(content, validate=True)
    return gzip.decompress(content) if encoding.startswith("gz") else content


def layers(data: bytes, depth: int = 0) -> Iterator[bytes]:
    """These bytes, and what is in them behind base64 and gzip, however deep."""
    yield data
    if depth == _DEEPEST:
        return
    inner = [_gunzipped(data)] if data.startswith(b"\x1f\x8b") else []
    inner += [_unbase64(run) for run in _runs(data)]
    for each in inner:
        if each:
            yield from layers(each, depth + 1)


def _runs(data: bytes) -> Iterator[bytes]:
    """Whatever may be base64: several lines as one, and each word by itself, for other words may stand before it."""
    for found in _BASE64.finditer(data):
        words = found.group().split()
        yield b"".join(words)
        if len(words) > 1:
            yield from words


def _gunzipped(data: bytes) -> bytes:
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error):
        return b""


def _unbase64(run: bytes) -> bytes:
    if len(run) < _SHORTEST:
        return b""
    body = run.rstrip(b"=")
    return b64decode(body[: len(body) // 4 * 4] + _tail(body))


def _tail(body: bytes) -> bytes:
    rest = body[len(body) // 4 * 4 :]
    return rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""


def spki_pin(pem: str) -> str:
    """The hash of a certificate as kubeadm makes it, by hand: DER's lengths are walked to the SubjectPublicKeyInfo."""
    body = "".join(line for line in pem.splitlines() if line and not line.startswith("-----"))
    der = b64decode(body)
    certificate, _ = _inside(der, 0)
    start, _ = _inside(der, certificate)
    fields: list[tuple[int, int, int]] = []
    while len(fields) < 7:
        _, end = _inside(der, start)
        fields.append((der[start], start, end))
        start = end
    # version, serial, signature, issuer, validity, subject, subjectPublicKeyInfo (RFC 5280, 4.1)
    assert fields[0][0] == 0xA0
    _, begin, end = fields[6]
    return "sha256:" + hashlib.sha256(der[begin:end]).hexdigest()


def _inside(der: bytes, start: int) -> tuple[int, int]:
    """Where the content of an element begins, and where it ends."""
    length, begin = der[start + 1], start + 2
    if length & 0x80:
        count = length & 0x7F
        length, begin = int.from_bytes(der[begin : begin + count], "big"), begin + count
    return begin, begin + length
