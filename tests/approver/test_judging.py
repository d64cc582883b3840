"""Each way in which a request is not a kubelet's own: left alone, every one."""

from __future__ import annotations

import base64
from ipaddress import ip_network
from typing import Any

import pytest
from approving.judging import is_open, objection
from approving.settings import Settings
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.approver.asking import ADDRESS, NODE, SANS, SUBJECT, dns, ip, node, request, thing

OTHER, PLANE, ENDPOINT = "192.168.0.22", "192.168.0.11", "192.168.0.11"
OUTSIDE = "203.0.113.9"
SETTINGS = Settings((ip_network("192.168.0.0/24"), ip_network("fd01::/64")), ENDPOINT)
# The node says of itself that it has the endpoint's address, another node's and one from outside.
NODES = {
    NODE: node(NODE, ADDRESS, "fd01::21", OTHER, ENDPOINT, OUTSIDE),
    "worker2": node("worker2", OTHER),
    "cp1": node("cp1", PLANE, plane=True),
}
ORGANISATION, CN = SUBJECT
FOREIGN = (NameOID.COMMON_NAME, "system:node:worker2")


def judged(asked: dict[str, Any], nodes: dict[str, Any] | None = None) -> str:
    return objection(asked, NODES if nodes is None else nodes, SETTINGS)


@pytest.mark.parametrize(
    "asked",
    [
        thing(),
        thing(request(sans=dns(NODE))),
        thing(request(sans=ip(ADDRESS, "fd01::21"))),
        thing(request(subject=(CN, ORGANISATION))),
        thing(
            request(key=rsa.generate_private_key(65537, 2048)),
            usages=["key encipherment", "server auth", "digital signature"],
        ),
    ],
    ids=["as kubelets ask", "the name alone", "both families", "another order", "RSA"],
)
def test_what_is_approved(asked: dict[str, Any]) -> None:
    assert judged(asked) == ""


def test_a_control_plane_may_have_the_endpoint_s_address() -> None:
    name = "system:node:cp1"
    pem = request(subject=(ORGANISATION, (NameOID.COMMON_NAME, name)), sans=(*dns("cp1"), *ip(PLANE)))
    alone = {"cp1": NODES["cp1"]}
    assert judged(thing(pem, username=name), alone) == ""
    plain = {"cp1": node("cp1", PLANE)}
    assert judged(thing(pem, username=name), plain) == f"{PLANE} is the endpoint's, and the node is no control plane"


NO_NAMES = x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, bytes.fromhex("3000"))
ADMIN = {"username": "kubernetes-admin", "groups": ["system:masters", "system:authenticated"]}


@pytest.mark.parametrize(
    ("asked", "against"),
    [
        (thing(**ADMIN), "kubernetes-admin is no node"),
        (thing(groups=["system:authenticated"]), f"system:node:{NODE} is no node"),
        (thing(username="system:node:worker2"), "its subject is O=system:nodes, CN=system:node:worker1"),
        (thing(username="system:node:gone"), "there is no node gone"),
        (thing(username="system:node:"), "there is no node "),
        (thing(request(subject=(ORGANISATION, FOREIGN))), "its subject is O=system:nodes, CN=system:node:worker2"),
        (thing(request(subject=(ORGANISATION, CN, FOREIGN))), "CN=system:node:worker1,system:node:worker2"),
        (thing(request(subject=(CN,))), "its subject is O=, CN=system:node:worker1"),
        (thing(request(subject=((NameOID.ORGANIZATION_NAME, "system:masters"), CN))), "O=system:masters"),
        (
            thing(request(subject=(ORGANISATION, (NameOID.ORGANIZATION_NAME, "system:masters"), CN))),
            "O=system:nodes,system:mast",
        ),
        (thing(request(subject=(ORGANISATION, CN, (NameOID.COUNTRY_NAME, "CN")))), "more than O and CN"),
        (thing(request(sans=(*SANS, *dns("worker2")))), "worker2 is not the node's name"),
        (thing(request(sans=dns("kubernetes.default.svc"))), "kubernetes.default.svc is not the node's name"),
        (thing(request(sans=dns("*"))), "* is not the node's name"),
        (thing(request(sans=dns(NODE.upper()))), "WORKER1 is not the node's name"),
        (thing(request(sans=ip("192.168.0.99"))), "192.168.0.99 is not among the node's addresses"),
        (thing(request(sans=ip("::ffff:192.168.0.21"))), "is not among the node's addresses"),
        (thing(request(sans=ip(OUTSIDE))), f"{OUTSIDE} is in no network of nodes"),
        (thing(request(sans=ip(ADDRESS, OTHER))), f"{OTHER} is worker2's, too"),
        (thing(request(sans=ip(ENDPOINT))), f"{ENDPOINT} is cp1's, too"),
        (thing(request(sans=())), "attributes of the request"),
        (thing(request(sans=(), extensions=[NO_NAMES])), "it names neither a host nor an address"),
        (thing(request(sans=(*SANS, x509.RFC822Name("a@b.example")))), "tag 0x81"),
        (thing(request(sans=(*SANS, x509.UniformResourceIdentifier("spiffe://a")))), "tag 0x86"),
        (thing(request(extensions=[x509.BasicConstraints(ca=True, path_length=None)])), "2 extensions"),
        (thing(request(sans=(), extensions=[x509.BasicConstraints(ca=True, path_length=None)])), "no list of"),
        (thing(request(attributes=[(NameOID.COMMON_NAME, b"more")])), "2 attributes of the request"),
        (thing(usages=["digital signature", "client auth"]), "it is to be used for: client auth, digital signature"),
        (thing(usages=["digital signature", "server auth", "client auth"]), "client auth"),
        (thing(usages=["digital signature"]), "it is to be used for: digital signature"),
        (thing(usages=["server auth", "cert sign"]), "cert sign"),
        (thing(b"no PEM"), "not one PEM block"),
        (thing(request() + request()), "not one PEM block"),
        (thing(request().replace(b" REQUEST", b"")), "not one PEM block"),
        (thing(request=None), "it cannot be read"),
        (thing(request="%"), "it"),
    ],
)
def test_what_is_left_alone(asked: dict[str, Any], against: str) -> None:
    assert against in judged(asked)


def test_a_node_without_addresses_gets_none() -> None:
    assert "not among the node's addresses" in judged(thing(), {NODE: node(NODE)})


def test_every_byte_that_is_changed_or_missing_is_noticed_or_harmless() -> None:
    """The subject and the names begin and end where another reader of PKCS#10 sees them, or nothing is approved."""
    der = base64.b64decode(b"".join(request().splitlines()[1:-1]))
    for place in range(len(der)):
        for changed in (
            der[:place] + bytes([der[place] ^ 1]) + der[place + 1 :],
            der[:place],
            der[:place] + der[place + 1 :],
        ):
            if judged(thing(pem(changed))) == "":
                assert names_in(changed) in (names_in(der), "no request"), place


def pem(der: bytes) -> bytes:
    return b"-----BEGIN CERTIFICATE REQUEST-----\n" + base64.b64encode(der) + b"\n-----END CERTIFICATE REQUEST-----\n"


def names_in(der: bytes) -> object:
    """What cryptography, written by others, finds in a request; nothing where it finds no request."""
    try:
        found = x509.load_der_x509_csr(der)
        sans = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return [*found.subject], [*sans], len(found.extensions)
    except ValueError:
        return "no request"


@pytest.mark.parametrize(
    ("change", "waits"),
    [
        ({}, True),
        ({"status": {"conditions": [{"type": "Approved"}]}}, False),
        ({"status": {"conditions": [{"type": "Denied"}]}}, False),
        ({"status": {"conditions": [{"type": "Failed"}]}}, False),
        ({"spec": {**thing()["spec"], "signerName": "kubernetes.io/kube-apiserver-client-kubelet"}}, False),
    ],
)
def test_what_is_looked_at(change: dict[str, Any], *, waits: bool) -> None:
    assert is_open({**thing(), **change}) is waits
