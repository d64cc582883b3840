"""When the certificates of a control plane end.

`kubeadm certs check-expiration` says it in a table for people, and as data in newer releases only; Python's own library
reads names and times of certificates that it talks to alone. So the few bytes are read here.
"""

from __future__ import annotations

import base64
import binascii
import calendar
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bootstrap import yamlfile
from bootstrap.paths import Paths

# Of what kubeadm makes on a control plane, all that ends after a year; the kubelet sees to its own.
LEAVES = (
    "apiserver",
    "apiserver-kubelet-client",
    "apiserver-etcd-client",
    "front-proxy-client",
    "etcd/server",
    "etcd/peer",
    "etcd/healthcheck-client",
)
KUBECONFIGS = ("admin", "super-admin", "controller-manager", "scheduler")
AUTHORITIES = ("ca", "etcd/ca", "front-proxy-ca")
BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
# X.509's tags (RFC 5280, 4.1): a version is there unless it is 1, years have two digits until 2049.
SEQUENCE, VERSION, TWO_DIGITS, FOUR_DIGITS = 0x30, 0xA0, 0x17, 0x18
FORMS = {TWO_DIGITS: "%y%m%d%H%M%SZ", FOUR_DIGITS: "%Y%m%d%H%M%SZ"}
LONG = 0x80


class Certificate(NamedTuple):
    """A certificate, and when it ends in seconds since the epoch."""

    name: str
    ends: float


def leaves(paths: Paths) -> list[Certificate]:
    """What `kubeadm certs renew all` renews and is there, the first that ends in front; ValueError names a file."""
    return sorted(_leaves(paths), key=lambda item: item.ends)


def authorities(paths: Paths) -> list[Certificate]:
    """Those of the CAs, several where one replaces another."""
    found = ((name, paths.kubernetes / "pki" / f"{name}.crt") for name in AUTHORITIES)
    return [Certificate(name, ends) for name, path in found if path.exists() for ends in _ends(path, path.read_text())]


def missing_keys(paths: Paths) -> list[str]:
    """The CAs whose certificate is here and whose key is not."""
    pki = paths.kubernetes / "pki"
    return [name for name in AUTHORITIES if (pki / f"{name}.crt").exists() and not (pki / f"{name}.key").exists()]


def _leaves(paths: Paths) -> Iterator[Certificate]:
    for name in LEAVES:
        path = paths.kubernetes / "pki" / f"{name}.crt"
        if path.exists():
            yield Certificate(name, _ends(path, path.read_text())[0])
    for name in KUBECONFIGS:
        path = paths.kubernetes / f"{name}.conf"
        if path.exists():
            yield Certificate(f"{name}.conf", _ends(path, _embedded(path))[0])


def _embedded(path: Path) -> str:
    try:
        (config,) = yamlfile.read(path)
        (user,) = config["users"]
        return base64.b64decode(user["user"]["client-certificate-data"]).decode()
    except (ValueError, LookupError, TypeError, binascii.Error) as error:
        raise ValueError(f"{path}: no kubeconfig with a certificate in it") from error


def _ends(path: Path, text: str) -> list[float]:
    try:
        ends = [
            _not_after(ssl.PEM_cert_to_DER_cert(f"{BEGIN}{part.partition(END)[0]}{END}"))
            for part in text.split(BEGIN)[1:]
        ]
    except (ValueError, LookupError) as error:
        raise ValueError(f"{path}: {error}") from error
    if not ends:
        raise ValueError(f"{path}: no certificate in it")
    return ends


def _not_after(certificate: bytes) -> float:
    ((_, outer),) = _items(certificate)
    fields: list[Any] = list(_items(next(_items(outer))[1]))
    if fields[0][0] == VERSION:
        del fields[0]
    # Serial number, algorithm, issuer, validity.
    tag, validity = fields[3]
    if tag != SEQUENCE:
        raise ValueError("no certificate")
    _, (form, text) = _items(validity)
    return calendar.timegm(time.strptime(text.decode(), FORMS[form]))


def _items(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The elements of a DER sequence: tag and content."""
    while data:
        tag, length, start = data[0], data[1], 2
        if length & LONG:
            start += length & ~LONG
            length = int.from_bytes(data[2:start], "big")
        if len(data) < start + length:
            raise ValueError("a certificate that is cut off")
        yield tag, data[start : start + length]
        data = data[start + length :]
