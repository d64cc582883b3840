"""The bundle: made, written, read, checked."""

from __future__ import annotations

import re
from base64 import b64decode
from datetime import timedelta

import pytest
import yaml
from cryptography import x509
from cryptography.x509.oid import NameOID

from imagegen.bundle import CONTROL_PLANE, Authorities, Bundle
from imagegen.secrets.kubeconfig import make_kubeconfig
from imagegen.secrets.make import make_bundle
from imagegen.secrets.store import dump_bundle, load_bundle
from imagegen.spec import EncryptionAlgorithm
from tests.support.specs import NOW


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return make_bundle("demo", ["workers"], EncryptionAlgorithm.ECDSA_P256, NOW)


def authorities(bundle: Bundle) -> Authorities:
    assert bundle.authorities is not None
    return bundle.authorities


def test_a_bundle_survives_its_file(bundle: Bundle) -> None:
    loaded, findings = load_bundle(dump_bundle(bundle), "demo.secrets.yaml", NOW)
    assert not findings
    assert loaded == bundle


def test_every_token_is_well_formed_and_of_its_own(bundle: Bundle) -> None:
    assert set(bundle.tokens) == {CONTROL_PLANE, "workers"}
    assert all(re.fullmatch(r"[a-z0-9]{6}\.[a-z0-9]{16}", token) for token in bundle.tokens.values())
    assert len({token[:6] for token in bundle.tokens.values()}) == 2


def test_authorities_are_back_dated_and_last_ten_years(bundle: Bundle) -> None:
    certificate = x509.load_pem_x509_certificate(authorities(bundle).cluster_ca.certificate.encode())
    assert certificate.not_valid_before_utc == NOW - timedelta(minutes=5) == bundle.not_before
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == timedelta(days=3650)


def test_no_secret_in_a_repr(bundle: Bundle) -> None:
    assert bundle.tokens["workers"] not in repr(bundle)
    assert "PRIVATE" not in repr(bundle) + repr(authorities(bundle)) + repr(authorities(bundle).cluster_ca)


def _changed(bundle: Bundle, change: str) -> str:
    data = yaml.safe_load(dump_bundle(bundle))
    other = yaml.safe_load(dump_bundle(make_bundle("demo", [], EncryptionAlgorithm.ECDSA_P256, NOW)))
    if change == "key of another CA":
        data["clusterCA"]["key"] = other["clusterCA"]["key"]
    elif change == "sa of another cluster":
        data["serviceAccount"]["public"] = other["serviceAccount"]["public"]
    elif change == "token":
        data["tokens"]["workers"] = "tooshort"
    elif change == "no control-plane token":
        del data["tokens"][CONTROL_PLANE]
    elif change == "same id":
        data["tokens"]["workers"] = data["tokens"][CONTROL_PLANE]
    else:
        del data["etcdCA"]
    return yaml.safe_dump(data)


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ("key of another CA", "IG302", "clusterCA: the key does not belong"),
        ("sa of another cluster", "IG302", "serviceAccount: the two keys"),
        ("token", "IG302", "tokens.workers"),
        ("no control-plane token", "IG302", "tokens.control-plane is missing"),
        ("same id", "IG302", "two have the same id"),
        ("no etcd", "IG301", "etcdCA is missing"),
    ],
)
def test_a_broken_bundle_is_refused(bundle: Bundle, change: str, code: str, says: str) -> None:
    loaded, findings = load_bundle(_changed(bundle, change), "demo.secrets.yaml", NOW)
    assert loaded is None
    assert code in {finding.code for finding in findings}
    assert any(says in finding.message for finding in findings)
    assert not any(bundle.tokens["workers"] in finding.message for finding in findings)


def test_an_expired_authority_is_refused(bundle: Bundle) -> None:
    loaded, findings = load_bundle(dump_bundle(bundle), "demo.secrets.yaml", NOW + timedelta(days=3651))
    assert loaded is None
    assert all("expired" in finding.message for finding in findings)


def test_a_kubeconfig_for_another_place_names_whom_it_expects_there(bundle: Bundle) -> None:
    group = "kubeadm:cluster-admins"
    text = make_kubeconfig(bundle, "127.0.0.1:1234", group, NOW, server_name="192.168.0.242")
    cluster = yaml.safe_load(text)["clusters"][0]["cluster"]
    assert (cluster["server"], cluster["tls-server-name"]) == ("https://127.0.0.1:1234", "192.168.0.242")
    usual = yaml.safe_load(make_kubeconfig(bundle, "192.168.0.242:6443", group, NOW))
    assert "tls-server-name" not in usual["clusters"][0]["cluster"]


def test_the_kubeconfig_is_signed_by_the_cluster_ca(bundle: Bundle) -> None:
    config = yaml.safe_load(make_kubeconfig(bundle, "192.168.0.242:6443", "kubeadm:cluster-admins", NOW))
    client = x509.load_pem_x509_certificate(b64decode(config["users"][0]["user"]["client-certificate-data"]))
    authority = x509.load_pem_x509_certificate(authorities(bundle).cluster_ca.certificate.encode())
    client.verify_directly_issued_by(authority)
    assert client.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "kubeadm:cluster-admins"
    assert config["clusters"][0]["cluster"]["server"] == "https://192.168.0.242:6443"
