"""A cluster CA replaced: every pin for every role, the CA that signs first, no certificate twice."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import yaml
from cryptography import x509

from imagegen import pipeline
from imagegen.bundle import Authority, Bundle
from imagegen.cli.common import load_assets
from imagegen.inspection import inspect_artifact
from imagegen.secrets.importing import FILES, import_bundle
from imagegen.secrets.keys import ca_hashes, new_authority
from imagegen.secrets.kubeconfig import make_kubeconfig
from imagegen.secrets.make import make_bundle, make_joining_bundle
from imagegen.secrets.store import dump_bundle, load_bundle
from imagegen.secrets.trust import with_cluster_ca, with_trusted, without_trusted
from imagegen.spec import EncryptionAlgorithm
from tests.support.specs import NOW, spec

ALGORITHMS = list(EncryptionAlgorithm)


@pytest.fixture(scope="module", params=ALGORITHMS)
def bundle(request: pytest.FixtureRequest) -> Bundle:
    return make_bundle("demo", ["workers"], request.param, NOW)


@pytest.fixture(scope="module")
def following() -> Authority:
    return new_authority("kubernetes", EncryptionAlgorithm.ECDSA_P256, NOW + timedelta(days=1))


def own(bundle: Bundle) -> Authority:
    assert bundle.authorities is not None
    return bundle.authorities.cluster_ca


def written(bundle: Bundle, role: str, **sections: object) -> dict[str, str]:
    """The files that a role's user-data writes."""
    assets = load_assets()
    cluster, _ = pipeline.check(yaml.safe_dump(spec(**sections)), "cluster.yaml", assets)
    assert cluster is not None
    rendering, _ = pipeline.render(cluster, bundle, assets)
    assert rendering is not None
    part = inspect_artifact(rendering.tree[f"user-data/{role}.yaml"].content).parts[0]
    return {file.path: file.content.decode() for file in part.files}


def pins(files: dict[str, str], name: str = "kubeadm.yaml") -> list[str]:
    join = yaml.safe_load(files[f"/var/lib/imagegen/{name}"])
    found: list[str] = join["discovery"]["bootstrapToken"]["caCertHashes"]
    return found


def test_the_way_from_one_ca_to_the_next(bundle: Bundle, following: Authority) -> None:
    (old,), (new,) = bundle.ca_hashes, ca_hashes(following.certificate)
    trusting = with_trusted(bundle, following.certificate)
    assert trusting.ca_hashes == (old, new)
    assert own(trusting) == own(bundle)
    switched = with_cluster_ca(trusting, following, NOW + timedelta(days=2))
    assert switched.ca_hashes == (new, old)
    assert own(switched) == following
    assert switched.trusted_cas == (own(bundle).certificate,)
    done = without_trusted(switched, old)
    assert done.ca_hashes == (new,)
    assert done.trusted_cas == ()
    for step in (trusting, switched, done):
        assert load_bundle(dump_bundle(step), "demo.secrets.yaml", NOW + timedelta(days=2)) == (step, ())


def test_nothing_is_trusted_twice(bundle: Bundle, following: Authority) -> None:
    once = with_trusted(bundle, following.certificate)
    assert with_trusted(once, f"{following.certificate}{own(bundle).certificate}") == once


def test_every_role_gets_every_pin_and_control_planes_the_union(bundle: Bundle, following: Authority) -> None:
    switched = with_cluster_ca(bundle, following, NOW + timedelta(days=2))
    assert pins(written(switched, "worker-workers")) == list(switched.ca_hashes)
    for role, join in (("control-plane-init", "kubeadm-join.yaml"), ("control-plane-join", "kubeadm.yaml")):
        files = written(switched, role)
        assert pins(files, join) == list(switched.ca_hashes)
        assert files["/var/lib/imagegen/pki/ca.crt"] == following.certificate + own(bundle).certificate
        assert files["/var/lib/imagegen/pki/ca.key"] == following.key
        # kube-controller-manager takes one certificate there, never several.
        assert files["/etc/kubernetes/signing-ca.crt"] == following.certificate
    assert not any("signing-ca" in path for path in written(switched, "worker-workers"))


def test_without_further_cas_nothing_is_patched(bundle: Bundle) -> None:
    files = written(bundle, "control-plane-init")
    assert not any("signing-ca" in path for path in files)
    assert "/etc/kubernetes/patches" not in files["/var/lib/imagegen/kubeadm.yaml"]


def test_a_flag_of_the_user_s_stays(bundle: Bundle, following: Authority) -> None:
    flag = {"controllerManager": {"extraArgs": {"cluster-signing-cert-file": "/etc/kubernetes/pki/mine.crt"}}}
    files = written(with_trusted(bundle, following.certificate), "control-plane-init", kubeadm=flag)
    assert not any("signing-ca" in path for path in files)


def test_the_kubeconfig_trusts_both_and_the_new_one_signs(bundle: Bundle, following: Authority) -> None:
    switched = with_cluster_ca(bundle, following, NOW + timedelta(days=2))
    config = yaml.safe_load(make_kubeconfig(switched, "192.168.0.242:6443", "system:masters", NOW + timedelta(days=2)))
    trusted = b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"])
    assert trusted.decode() == following.certificate + own(bundle).certificate
    client = x509.load_pem_x509_certificate(b64decode(config["users"][0]["user"]["client-certificate-data"]))
    client.verify_directly_issued_by(x509.load_pem_x509_certificate(following.certificate.encode()))


def test_nodes_wait_until_the_newest_ca_is_valid(bundle: Bundle, following: Authority) -> None:
    assert with_trusted(bundle, following.certificate).not_before == NOW + timedelta(days=1) - timedelta(minutes=5)


def refusal(change: Callable[[], object]) -> str:
    with pytest.raises(ValueError, match=r".+") as caught:
        change()
    return str(caught.value)


def test_what_cannot_be_trusted_is_refused(bundle: Bundle, following: Authority) -> None:
    joining = make_joining_bundle("demo", ["workers"], own(bundle).certificate)
    other = new_authority("kubernetes", EncryptionAlgorithm.ECDSA_P256, NOW)
    crossed = Authority(certificate=following.certificate, key=other.key)
    several = replace(following, certificate=following.certificate + other.certificate)
    later = NOW + timedelta(days=2)
    assert "no certificate" in refusal(lambda: with_trusted(bundle, "nothing"))
    assert "controlPlane.existing" in refusal(lambda: with_trusted(joining, following.certificate))
    assert "the CA that signs" in refusal(lambda: without_trusted(bundle, bundle.ca_hashes[0]))
    assert "known: none" in refusal(lambda: without_trusted(bundle, "sha256:" + "0" * 64))
    assert "does not belong" in refusal(lambda: with_cluster_ca(bundle, crossed, later))
    assert "several" in refusal(lambda: with_cluster_ca(bundle, several, later))
    assert "expired" in refusal(lambda: with_cluster_ca(bundle, following, NOW + timedelta(days=9999)))


@pytest.mark.parametrize(
    ("further", "says"),
    [
        (["two"], "entry 1 is not one certificate"),
        (["client"], "entry 1 is not a CA's"),
        ("one", "not made by"),
        (["junk"], "not made by"),
    ],
)
def test_a_bundle_with_a_broken_list_is_refused(following: Authority, further: list[str] | str, says: str) -> None:
    bundle = make_bundle("demo", ["workers"], EncryptionAlgorithm.ECDSA_P256, NOW)
    config = yaml.safe_load(make_kubeconfig(bundle, "a:6443", "system:masters", NOW))
    texts = {
        "two": following.certificate * 2,
        "client": b64decode(config["users"][0]["user"]["client-certificate-data"]).decode(),
        "junk": "junk",
    }
    data = yaml.safe_load(dump_bundle(bundle))
    data["trustedCAs"] = [texts[name] for name in further] if isinstance(further, list) else further
    loaded, findings = load_bundle(yaml.safe_dump(data), "demo.secrets.yaml", NOW)
    assert loaded is None
    assert any(says in finding.message for finding in findings)


def test_a_trusted_ca_that_ran_out_is_no_fault(bundle: Bundle, following: Authority) -> None:
    switched = with_cluster_ca(bundle, following, NOW + timedelta(days=2))
    after = NOW + timedelta(days=3650)
    loaded, findings = load_bundle(dump_bundle(switched), "demo.secrets.yaml", after)
    # The old cluster CA ran out, which is no fault; the two other CAs of the bundle did, too, which is one.
    assert loaded is None
    assert {finding.message.partition(":")[0] for finding in findings} == {"etcdCA", "frontProxyCA"}


def test_importing_a_ca_file_in_the_middle_of_a_replacement(bundle: Bundle, following: Authority) -> None:
    authorities = bundle.authorities
    assert authorities is not None
    pairs = (following, authorities.etcd_ca, authorities.front_proxy_ca)
    texts = [text for pair in pairs for text in (pair.certificate, pair.key)]
    texts += [authorities.service_account.public, authorities.service_account.private]
    pki = dict(zip(FILES, texts, strict=True))
    pki["ca.crt"] += own(bundle).certificate
    imported = import_bundle("demo", ["workers"], pki)
    assert own(imported) == following
    assert imported.trusted_cas == (own(bundle).certificate,)
    assert imported.ca_hashes == ca_hashes(pki["ca.crt"])
    assert load_bundle(dump_bundle(imported), "demo.secrets.yaml", NOW + timedelta(days=2)) == (imported, ())
