"""What is no DER is refused, though other readers take some of it."""

from __future__ import annotations

import pytest
from approving.der import INTEGER, OCTET_STRING, SEQUENCE, NotDERError, Value, value, values

LONG = bytes(range(200))


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"\x02\x01\x05", Value(INTEGER, b"\x05")),
        (b"\x04\x00", Value(OCTET_STRING, b"")),
        (b"\x04\x81\xc8" + LONG, Value(OCTET_STRING, LONG)),
        (b"\x04\x82\x01\x90" + LONG + LONG, Value(OCTET_STRING, LONG + LONG)),
    ],
)
def test_what_is_read(data: bytes, found: Value) -> None:
    assert value(data) == found


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x02",
        b"\x02\x01",
        b"\x04\x05abcd",
        b"\x04\x81\xc8" + LONG[:-1],
        b"\x04\x81\x04abcd",
        b"\x04\x82\x00\xc8" + LONG,
        b"\x04\x82\x01",
        b"\x30\x80\x04\x00\x00\x00",
        b"\x1f\x81\x01\x00",
        b"\x04\x00\x04\x00",
    ],
    ids=[
        "nothing",
        "no length",
        "no content",
        "too little",
        "too little of much",
        "a long form for a short length",
        "a padded length",
        "half a length",
        "an indefinite length",
        "a tag of several bytes",
        "two values for one",
    ],
)
def test_what_is_refused(data: bytes) -> None:
    with pytest.raises(NotDERError):
        value(data)


def test_values_inside_are_those_of_the_tag_that_belongs_there() -> None:
    (outer,) = values(b"\x30\x03\x02\x01\x05")
    assert outer.inside(SEQUENCE) == (Value(INTEGER, b"\x05"),)
    with pytest.raises(NotDERError):
        outer.bytes_of(OCTET_STRING)
