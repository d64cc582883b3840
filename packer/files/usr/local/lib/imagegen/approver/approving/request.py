"""What a certificate request in PKCS#10 asks for; of all that it may hold, no more is known than kubelets ask for."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Union

from approving import der

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]

# Object identifiers as they are encoded: X.520's, PKCS#9's extensionRequest, X.509's subjectAltName.
_NAMES = {bytes.fromhex("55040a"): "O", bytes.fromhex("550403"): "CN"}
_EXTENSION_REQUEST = bytes.fromhex("2a864886f70d01090e")
_ALTERNATIVE_NAMES = bytes.fromhex("551d11")
_ATTRIBUTES, _DNS_NAME, _IP_ADDRESS = 0xA0, 0x82, 0x87
_PEM = re.compile(
    rb"-----BEGIN CERTIFICATE REQUEST-----\n([A-Za-z0-9+/=\n]+)\n-----END CERTIFICATE REQUEST-----\n?",
)


class OtherRequestError(ValueError):
    """A request that holds more, or something else, than a kubelet's."""


@dataclass(frozen=True)
class Request:
    """Organisations and common names of the subject, names and addresses that the certificate would be for."""

    organisations: tuple[str, ...]
    common_names: tuple[str, ...]
    dns_names: tuple[str, ...]
    addresses: tuple[Address, ...]


def read_request(pem: bytes) -> Request:
    """The request, if it is one in which nothing stands that is not read here."""
    match = _PEM.fullmatch(pem)
    if not match:
        raise OtherRequestError("it is not one PEM block of a certificate request")
    try:
        return _read(base64.b64decode(match[1].replace(b"\n", b""), validate=True))
    except (ValueError, binascii.Error) as error:
        raise OtherRequestError(str(error)) from error


def _read(data: bytes) -> Request:
    whole = _exactly(der.value(data).inside(der.SEQUENCE), 3, "parts of a request")
    version, subject, _, attributes = _exactly(whole[0].inside(der.SEQUENCE), 4, "parts of what is asked for")
    if version != der.Value(der.INTEGER, b"\0"):
        raise OtherRequestError("it is of another version")
    names = tuple(_subject(subject))
    found = tuple(_alternative_names(attributes))
    return Request(
        organisations=tuple(text for name, text in names if name == "O"),
        common_names=tuple(text for name, text in names if name == "CN"),
        dns_names=tuple(name for name in found if isinstance(name, str)),
        addresses=tuple(name for name in found if not isinstance(name, str)),
    )


def _subject(subject: der.Value) -> Iterator[tuple[str, str]]:
    for relative in subject.inside(der.SEQUENCE):
        (attribute,) = _exactly(relative.inside(der.SET), 1, "attributes of a relative name")
        kind, text = _exactly(attribute.inside(der.SEQUENCE), 2, "parts of an attribute")
        name = _NAMES.get(kind.bytes_of(der.OBJECT_IDENTIFIER))
        if name is None:
            raise OtherRequestError("the subject has more than O and CN")
        yield name, text.bytes_of(der.UTF8_STRING, der.PRINTABLE_STRING).decode()


def _alternative_names(attributes: der.Value) -> Iterator[str | Address]:
    (attribute,) = _exactly(attributes.inside(_ATTRIBUTES), 1, "attributes of the request")
    kind, held = _exactly(attribute.inside(der.SEQUENCE), 2, "parts of its attribute")
    if kind != der.Value(der.OBJECT_IDENTIFIER, _EXTENSION_REQUEST):
        raise OtherRequestError("it has an attribute that is no request of extensions")
    (extensions,) = _exactly(held.inside(der.SET), 1, "lists of extensions")
    (extension,) = _exactly(extensions.inside(der.SEQUENCE), 1, "extensions")
    kind, content = _exactly(extension.inside(der.SEQUENCE), 2, "parts of the extension")
    if kind != der.Value(der.OBJECT_IDENTIFIER, _ALTERNATIVE_NAMES):
        raise OtherRequestError("it wants an extension that is no list of alternative names")
    for name in der.value(content.bytes_of(der.OCTET_STRING)).inside(der.SEQUENCE):
        wanted = name.bytes_of(_DNS_NAME, _IP_ADDRESS)
        yield wanted.decode("ascii") if name.tag == _DNS_NAME else ipaddress.ip_address(wanted)


def _exactly(found: tuple[der.Value, ...], count: int, what: str) -> tuple[der.Value, ...]:
    if len(found) != count:
        raise OtherRequestError(f"{len(found)} {what}, and not {count}")
    return found
