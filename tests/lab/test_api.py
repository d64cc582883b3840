"""The API is asked as the kubeconfig's user, and only an API server with the right certificate is believed."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from imagegen.bundle import Authority
from imagegen.lab.api import Api
from imagegen.secrets.keys import new_authority, new_key, private_pem
from imagegen.secrets.kubeconfig import make_kubeconfig
from imagegen.spec import EncryptionAlgorithm
from tests.support.specs import fake_bundle

NAME = "10.77.0.11"
NOW = datetime.now(UTC).replace(microsecond=0)


class Answers(BaseHTTPRequestHandler):
    """Says who asks."""

    def do_GET(self) -> None:
        certificate = self.connection.getpeercert() or {}
        subject = {key: value for part in certificate["subject"] for key, value in part}
        self.send_response(200 if self.path == "/who" else 404)
        self.end_headers()
        self.wfile.write(json.dumps(subject).encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


def server_pem(authority: Authority, address: str) -> str:
    """A certificate and key for an address, by a CA."""
    key, issuer = (
        new_key(EncryptionAlgorithm.ECDSA_P256),
        x509.load_pem_x509_certificate(authority.certificate.encode()),
    )
    signer = serialization.load_pem_private_key(authority.key.encode(), None)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-apiserver")]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(hours=1))
        .not_valid_after(NOW + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(signer, hashes.SHA256())  # type: ignore[arg-type]
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode() + private_pem(key)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return new_authority("kubernetes", EncryptionAlgorithm.ECDSA_P256, NOW)


@pytest.fixture
def port(authority: Authority, tmp_path: Path) -> Iterator[int]:
    """An API server that wants a certificate of its CA."""
    (tmp_path / "ca.pem").write_text(authority.certificate)
    (tmp_path / "server.pem").write_text(server_pem(authority, NAME))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(tmp_path / "ca.pem"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(tmp_path / "server.pem")
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.server_port
        server.shutdown()


def asked(authority: Authority, port: int, *, name: str = NAME) -> Api:
    bundle = fake_bundle()
    assert bundle.authorities is not None
    object.__setattr__(bundle.authorities, "cluster_ca", authority)
    return Api.of_kubeconfig(make_kubeconfig(bundle, f"127.0.0.1:{port}", "admins", NOW, server_name=name))


def test_it_asks_as_the_kubeconfig_s_user(authority: Authority, port: int) -> None:
    assert asked(authority, port).get("/who") == {"organizationName": "admins", "commonName": "kubernetes-admin"}


def test_what_is_not_there_is_nothing(authority: Authority, port: int) -> None:
    assert asked(authority, port).get("/absent") is None


def test_another_name_is_not_believed(authority: Authority, port: int) -> None:
    assert asked(authority, port, name="10.77.0.12").get("/who") is None


def test_another_ca_is_not_believed(port: int) -> None:
    other = new_authority("kubernetes", EncryptionAlgorithm.ECDSA_P256, NOW)
    assert asked(other, port).get("/who") is None


def test_nobody_there_is_nothing(authority: Authority) -> None:
    assert asked(authority, 1).get("/who") is None


def test_no_key_stays_in_a_file(
    authority: Authority, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "temporary"
    empty.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(empty))
    asked(authority, port)
    assert list(empty.iterdir()) == []
