"""Requests as a kubelet makes them, and as it never would."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

KEY = ec.generate_private_key(ec.SECP256R1())
NODE, ADDRESS = "worker1", "192.168.0.21"
SUBJECT = ((NameOID.ORGANIZATION_NAME, "system:nodes"), (NameOID.COMMON_NAME, f"system:node:{NODE}"))
SANS = (x509.DNSName(NODE), x509.IPAddress(ipaddress.ip_address(ADDRESS)))


def dns(*names: str) -> tuple[x509.DNSName, ...]:
    return tuple(map(x509.DNSName, names))


def ip(*addresses: str) -> tuple[x509.IPAddress, ...]:
    return tuple(x509.IPAddress(ipaddress.ip_address(address)) for address in addresses)


def request(
    subject: Sequence[tuple[x509.ObjectIdentifier, str]] = SUBJECT,
    sans: Sequence[x509.GeneralName] = SANS,
    extensions: Sequence[x509.ExtensionType] = (),
    attributes: Sequence[tuple[x509.ObjectIdentifier, bytes]] = (),
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = KEY,
) -> bytes:
    """A certificate request in PEM."""
    builder = x509.CertificateSigningRequestBuilder()
    # Each in a set of its own, as Go has it.
    names = [x509.RelativeDistinguishedName([x509.NameAttribute(name, text)]) for name, text in subject]
    builder = builder.subject_name(x509.Name(names))
    for extension in ([x509.SubjectAlternativeName(sans)] if sans else []) + list(extensions):
        builder = builder.add_extension(extension, critical=False)
    for name, content in attributes:
        builder = builder.add_attribute(name, content)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def thing(pem: bytes | None = None, /, **spec: Any) -> dict[str, Any]:
    """A CertificateSigningRequest of the node, as the API shows it."""
    kubelet = {
        "signerName": "kubernetes.io/kubelet-serving",
        "username": f"system:node:{NODE}",
        "groups": ["system:nodes", "system:authenticated"],
        "usages": ["digital signature", "server auth"],
        "request": base64.b64encode(request() if pem is None else pem).decode(),
    }
    return {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": "csr-abcde", "resourceVersion": "7"},
        "spec": kubelet | spec,
        "status": {},
    }


def node(name: str, *addresses: str, plane: bool = False, **status: Any) -> dict[str, Any]:
    """A node as the API shows it."""
    label = {"node-role.kubernetes.io/control-plane": ""} if plane else {}
    listed = [{"type": "InternalIP", "address": address} for address in addresses]
    return {
        "metadata": {"name": name, "labels": label},
        "status": {"addresses": [*listed, {"type": "Hostname", "address": name}], **status},
    }
