"""Certificates made at run time."""

from __future__ import annotations

import datetime as dt
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = dt.timedelta(days=1)
NOW = dt.datetime.now(dt.UTC)


class Authority:
    """A CA that signs servers."""

    def __init__(self, name: str) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        ca = x509.BasicConstraints(ca=True, path_length=None)
        builder = _builder(self._name, self._name, self._key, NOW + DAY).add_extension(ca, critical=True)
        self._certificate = builder.sign(self._key, hashes.SHA256())

    @property
    def certificate(self) -> str:
        return _pem(self._certificate)

    @property
    def key(self) -> str:
        return _key_pem(self._key)

    def sign_server(self, folder: Path, *, expired: bool = False, named: bool = False) -> Path:
        """A file with a server's certificate and key; first boot asks for no names in an API server's, others do."""
        certificate, key = self._sign("kube-apiserver", NOW - DAY if expired else NOW + DAY, named=named)
        path = folder / f"server-{certificate.serial_number:x}.pem"
        path.write_text(_pem(certificate) + _key_pem(key))
        return path

    def sign_client(self) -> tuple[str, str]:
        """Certificate and key of a client of etcd."""
        certificate, key = self._sign("kube-etcd-healthcheck-client", NOW + DAY)
        return _pem(certificate), _key_pem(key)

    def sign_until(self, until: dt.datetime) -> str:
        """A certificate that ends then; nobody needs its key."""
        return _pem(self._sign("node", until)[0])

    def _sign(
        self, name: str, until: dt.datetime, *, named: bool = False
    ) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = _builder(subject, self._name, key, until)
        if named:
            here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
            builder = builder.add_extension(here, critical=False)
        return builder.sign(self._key, hashes.SHA256()), key


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, until: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - 3 * DAY)
        .not_valid_after(until)
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
