"""Reads DER, and nothing that is not: no indefinite or padded lengths, no tags of several bytes, nothing left over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

INTEGER, BIT_STRING, OCTET_STRING, OBJECT_IDENTIFIER = 0x02, 0x03, 0x04, 0x06
UTF8_STRING, PRINTABLE_STRING = 0x0C, 0x13
SEQUENCE, SET = 0x30, 0x31
_SHORT, _LONG, _MANY_BYTES = 0x80, 0x7F, 0x1F


class NotDERError(ValueError):
    """The bytes are something else, or hold something else than was asked for."""


class Value(NamedTuple):
    """A tag, and what stands behind its length."""

    tag: int
    content: bytes

    def inside(self, tag: int) -> tuple[Value, ...]:
        """The values that this one holds, if it has that tag."""
        return tuple(values(self.bytes_of(tag)))

    def bytes_of(self, *tags: int) -> bytes:
        """What it holds, if it has one of these tags."""
        if self.tag not in tags:
            raise NotDERError(f"tag {self.tag:#04x} where {', '.join(f'{tag:#04x}' for tag in tags)} belongs")
        return self.content


def value(data: bytes) -> Value:
    """The one value that the bytes are."""
    found = tuple(values(data))
    if len(found) != 1:
        raise NotDERError(f"{len(found)} values where one belongs")
    return found[0]


def values(data: bytes) -> Iterator[Value]:
    """One value after the other, to the end of the bytes."""
    while data:
        tag, length, start = data[0], *_length(data)
        if tag & _MANY_BYTES == _MANY_BYTES:
            raise NotDERError("a tag of several bytes")
        if start + length > len(data):
            raise NotDERError("cut off")
        yield Value(tag, data[start : start + length])
        data = data[start + length :]


def _length(data: bytes) -> tuple[int, int]:
    """A length, and where what is so long begins."""
    first = data[1] if len(data) > 1 else _SHORT
    if first < _SHORT:
        return first, 2
    end = 2 + (first & _LONG)
    number = data[2:end]
    length = int.from_bytes(number, "big")
    if not number or number[0] == 0 or length < _SHORT:
        raise NotDERError("a length that is not DER")
    return length, end
