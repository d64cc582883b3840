"""Thousands of specs, rendered: who holds which secret, in every form in which user-data leaves.

`IMAGEGEN_SCAN` says how many; `make scan` takes thousands.
"""

from __future__ import annotations

import gzip
import os
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

import pytest
import yaml

from imagegen import pipeline, userdata
from imagegen.bundle import CONTROL_PLANE, Bundle
from imagegen.cli.common import load_assets
from imagegen.filetree import PRIVATE, FileTree
from imagegen.inspection import inspect_artifact
from imagegen.secrets.keys import new_authority
from imagegen.secrets.make import make_bundle, make_joining_bundle, new_token
from imagegen.secrets.trust import with_cluster_ca, with_trusted
from imagegen.spec import Cluster, EncryptionAlgorithm, NodeFile
from tests.support import decoder
from tests.support.generated import generated_spec
from tests.support.specs import NOW, spec

ASSETS = load_assets()
SCANNED = int(os.environ.get("IMAGEGEN_SCAN", "240"))
# Rules and providers' limits refuse some combinations; were it most of them, little would be scanned.
REFUSED = 0.2

LAYERS = {"yaml": (), "base64": ("base64",), "gz.base64": ("base64", "gzip")}
INITIALISING = {"control-plane-init", "control-plane"}
STAGED = "/var/lib/imagegen/pki/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A spec that passed all rules, its secrets, and what was made of them."""

    cluster: Cluster
    bundle: Bundle
    tree: FileTree

    def role_files(self, role: str) -> dict[str, bytes]:
        return {path: file.content for path, file in self.tree if path.startswith(f"user-data/{role}.")}

    @property
    def roles(self) -> list[str]:
        names = [path.removeprefix("user-data/") for path, _ in self.tree if path.startswith("user-data/")]
        return [name.removesuffix(".yaml") for name in names if name.endswith(".yaml")]


@cache
def foreign_certificates() -> list[str]:
    """CAs of registries, proxies and clusters made elsewhere."""
    return [new_authority(name, kind, NOW).certificate for name in ("one", "two") for kind in EncryptionAlgorithm]


@cache
def bundles(algorithm: EncryptionAlgorithm) -> tuple[Bundle, ...]:
    """A bundle before, in and after the middle of a CA's replacement; keys are slow to make, so few serve all."""
    plain = make_bundle("demo", [], algorithm, NOW)
    following = new_authority("kubernetes", EncryptionAlgorithm.ECDSA_P256, NOW)
    trusting = with_trusted(plain, following.certificate)
    return plain, trusting, with_cluster_ca(with_trusted(plain, foreign_certificates()[0]), following, NOW)


@cache
def joining(certificates: str) -> Bundle:
    return make_joining_bundle("demo", [], certificates)


def bundle_for(cluster: Cluster, seed: int) -> Bundle:
    """One of the few bundles, with this cluster's name, and tokens of its own."""
    existing = cluster.control_plane.existing
    names = [*([] if existing else [CONTROL_PLANE]), *(pool.name for pool in cluster.node_pools)]
    made = (
        joining(existing.ca_certificate) if existing else bundles(cluster.kubeadm.encryption_algorithm)[seed // 3 % 3]
    )
    return replace(made, cluster=cluster.metadata.name, tokens={name: new_token() for name in names})


def case_of(seed: int) -> Case | None:
    """A seed's spec, rendered; None where the rules refuse it, or its user-data is too large for its provider."""
    text = yaml.dump(generated_spec(seed, foreign_certificates()), Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper))
    cluster, report = pipeline.check(text, "cluster.yaml", ASSETS)
    if cluster is None:
        assert report.diagnostics
        return None
    bundle = bundle_for(cluster, seed)
    rendering, report = pipeline.render(cluster, bundle, ASSETS)
    if rendering is None:
        assert [finding.code for finding in report.diagnostics if finding.code != "IG401"] == []
        return None
    return Case(cluster=cluster, bundle=bundle, tree=rendering.tree)


def body(pem: str) -> bytes:
    """What is between a PEM's lines, as bytes."""
    return b64decode("".join(line for line in pem.splitlines() if line and not line.startswith("-----")))


def needles(name: str, pem: str) -> dict[str, bytes]:
    """A private key as it may stand somewhere: its second line, for the first may be every key's, and its bytes."""
    return {f"{name} (PEM)": pem.splitlines()[2].encode(), f"{name} (DER)": body(pem)[8:]}


def secrets_of(bundle: Bundle) -> dict[str, bytes]:
    """Everything in a bundle that not everybody may have, by name; tokens by the name of their pool."""
    found = needles("build key", bundle.build_key.private)
    found |= {f"token of {name}": token.partition(".")[2].encode() for name, token in bundle.tokens.items()}
    authorities = bundle.authorities
    if authorities is None:
        return found
    found |= needles("cluster CA", authorities.cluster_ca.key) | needles("etcd CA", authorities.etcd_ca.key)
    found |= needles("front-proxy CA", authorities.front_proxy_ca.key)
    found |= needles("service account", authorities.service_account.private)
    raw = b64decode(authorities.encryption_key)
    return found | {"encryption key": authorities.encryption_key.encode(), "encryption key (bytes)": raw}


def leaks(data: bytes, forbidden: dict[str, bytes]) -> set[str]:
    """Which secrets stand in these bytes, behind whatever layers; and any private key at all."""
    found = set()
    for layer in decoder.layers(data):
        found |= {name for name, needle in forbidden.items() if needle in layer}
        if b"PRIVATE KEY-----" in layer or b"openssh-key-v1\0" in layer:
            found.add("a private key")
    return found


def bodies(payload: bytes) -> Iterator[bytes]:
    """A payload as it is, decoded, and each of its files."""
    yield payload
    config = decoder.decoded(payload)
    yield repr(config).encode()
    yield from decoder.files(config).values()


def check_forms(case: Case, role: str) -> dict[str, bytes]:
    """Both decoders find the same files in every form; gives them."""
    forms = case.role_files(role)
    expected = decoder.files(decoder.decoded(forms[f"user-data/{role}.yaml"]))
    for path, payload in forms.items():
        assert decoder.files(decoder.decoded(payload)) == expected
        inspected = inspect_artifact(payload)
        assert inspected.layers == LAYERS[path.split(".", 1)[1]]
        part = inspected.parts[0]
        assert {file.path: file.content for file in part.files} == expected
    return expected


def check_worker(case: Case, role: str, payloads: Iterator[bytes]) -> None:
    pool = role.removeprefix("worker-")
    own = f"token of {pool}"
    secrets = secrets_of(case.bundle)
    forbidden = {name: needle for name, needle in secrets.items() if name != own}
    for payload in payloads:
        found = set().union(*(leaks(content, forbidden) for content in bodies(payload)))
        assert found == set(), f"{role} holds {found}"
        assert any(secrets[own] in content for content in bodies(payload))


def check_control_plane(case: Case, role: str, written: dict[str, bytes]) -> None:
    bundle, authorities = case.bundle, case.bundle.authorities
    assert authorities is not None
    pki = {
        "ca.crt": "".join((authorities.cluster_ca.certificate, *bundle.trusted_cas)),
        "ca.key": authorities.cluster_ca.key,
        "etcd/ca.crt": authorities.etcd_ca.certificate,
        "etcd/ca.key": authorities.etcd_ca.key,
        "front-proxy-ca.crt": authorities.front_proxy_ca.certificate,
        "front-proxy-ca.key": authorities.front_proxy_ca.key,
        "sa.pub": authorities.service_account.public,
        "sa.key": authorities.service_account.private,
    }
    staged = {path.removeprefix(STAGED): text.decode() for path, text in written.items() if path.startswith(STAGED)}
    assert staged == pki
    secrets = secrets_of(bundle)
    held = {name for path, text in written.items() if not path.startswith(STAGED) for name in leaks(text, secrets)}
    tokens = {f"token of {name}" for name in (bundle.tokens if role in INITIALISING else (CONTROL_PLANE,))}
    key = {"encryption key", "encryption key (bytes)"} if case.cluster.control_plane.encrypt_secrets else set()
    assert held == tokens | key


def check_pins(case: Case, written: dict[str, bytes]) -> None:
    existing = case.cluster.control_plane.existing
    text = existing.ca_certificate if existing else case.bundle.ca_certificates
    end = "-----END CERTIFICATE-----\n"
    certificates = [part + end for part in text.split(end) if part.strip()]
    expected = list(dict.fromkeys(decoder.spki_pin(certificate) for certificate in certificates))
    joins = [
        document["discovery"]["bootstrapToken"]["caCertHashes"]
        for path, content in written.items()
        if path.startswith("/var/lib/imagegen/kubeadm")
        for document in yaml.load_all(content, decoder.LOADER)
        if document["kind"] == "JoinConfiguration"
    ]
    assert joins == [expected]


def check_tree(case: Case) -> None:
    """What lies beside user-data: the image holds its build key alone, the rest no secret; no secret is public."""
    secrets = secrets_of(case.bundle)
    for path, file in case.tree:
        held = {name.partition(" (")[0] for name, needle in secrets.items() if needle in file.content}
        is_user_data = path.startswith("user-data/") or (path.startswith("nocloud/") and path.endswith("/user-data"))
        if not is_user_data:
            assert held == ({"build key"} if path.endswith("/build-key") else set()), path
        # Encoded user-data holds what it holds, whatever is seen in it.
        assert file.mode == PRIVATE or not (held or is_user_data), path


def check(case: Case) -> None:
    for role in case.roles:
        written = check_forms(case, role)
        check_pins(case, written)
        if role.startswith("worker-"):
            check_worker(case, role, iter(case.role_files(role).values()))
        else:
            check_control_plane(case, role, written)
    for pool in case.cluster.node_pools:
        for node in pool.nodes:
            # The same bytes as what was looked through above.
            assert case.tree[f"nocloud/{node.name}/user-data"] == case.tree[f"user-data/worker-{pool.name}.yaml"]
    check_tree(case)


def features(case: Case) -> Iterator[str]:
    """What of all that can happen happens in a case."""
    cluster, bundle = case.cluster, case.bundle
    yield from {path.split(".", 1)[1] for path, _ in case.tree if path.startswith("user-data/")}
    yield cluster.provider.type
    yield cluster.kubeadm.encryption_algorithm
    yield f"{len(bundle.ca_hashes)} pins"
    flags = {
        "existing control plane": bundle.authorities is None,
        "encrypted Secrets": cluster.control_plane.encrypt_secrets,
        "seeds": any(path.startswith("nocloud/worker") for path, _ in case.tree),
        "CA of a registry": any(registry.ca_certificate for registry in cluster.registries),
        "several pools": len(cluster.node_pools) > 1,
        "packed files": any(b"encoding: gz+b64" in file.content for _, file in case.tree),
    }
    yield from (name for name, present in flags.items() if present)


EXPECTED = {
    *("yaml", "base64", "gz.base64", "packed files", "seeds"),
    *("qemu", "aws", "alicloud", "ECDSA-P256", "RSA-2048", "1 pins", "2 pins", "3 pins"),
    *("existing control plane", "encrypted Secrets", "CA of a registry", "several pools"),
}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sizes of files are for a table that nobody reads here; and libyaml reads what cloud-init's PyYAML reads."""
    monkeypatch.setattr(userdata, "file_sizes", lambda *_, **__: ())
    monkeypatch.setattr("imagegen.inspection.yaml.safe_load", decoder.load)


@pytest.mark.timeout(3600)
def test_nobody_holds_more_than_their_own() -> None:
    seen: Counter[str] = Counter()
    for seed in range(SCANNED):
        case = case_of(seed)
        if case is None:
            seen["refused"] += 1
            continue
        try:
            check(case)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        seen.update(features(case))
    assert set(seen) >= EXPECTED, seen
    assert seen["refused"] <= SCANNED * REFUSED


def planted(bundle: Bundle) -> dict[str, str]:
    """Secrets that no worker may hold, in the clothes in which they might come."""
    authorities = bundle.authorities
    assert authorities is not None
    key, token = authorities.cluster_ca.key, bundle.tokens[CONTROL_PLANE]
    der = b64encode(body(authorities.service_account.private))

    def packed(text: str) -> str:
        return b64encode(gzip.compress(text.encode())).decode()

    return {
        "plain": key,
        "base64": f"client-key-data: {b64encode(key.encode()).decode()}\n",
        "after other words": f"the key is {b64encode(key.encode()).decode()}\n",
        "gzip in base64": packed(key),
        "twice": packed(packed(f"a: {packed(key)}")),
        "DER": der.decode(),
        "DER in lines": "\n".join(der.decode()[start : start + 76] for start in range(0, len(der), 76)),
        "build key": bundle.build_key.private,
        "another's token": f"token: {token}\n",
        "another's token, packed": packed(f"kind: Secret and so on\ntoken: {token}\n"),
        "encryption key": f"secret: {authorities.encryption_key}\n",
        "its bytes": packed(b64decode(authorities.encryption_key).hex())
        + b64encode(b"....." + b64decode(authorities.encryption_key)).decode(),
    }


CLOTHES = ["plain", "base64", "after other words", "gzip in base64", "twice", "DER", "DER in lines", "build key"]
CLOTHES += ["another's token", "another's token, packed", "encryption key", "its bytes"]


@pytest.mark.parametrize("clothes", CLOTHES)
@pytest.mark.parametrize("provider", ["qemu", "aws"])
def test_the_scan_finds_what_was_planted(clothes: str, provider: str) -> None:
    bundle = replace(
        bundles(EncryptionAlgorithm.ECDSA_P256)[0], tokens={CONTROL_PLANE: new_token(), "workers": new_token()}
    )
    data = spec(provider={"type": provider} | ({"region": "eu-west-1"} if provider == "aws" else {}))
    cluster, _ = pipeline.check(yaml.safe_dump(data), "cluster.yaml", ASSETS)
    assert cluster is not None
    for content, clean in (("harmless\n", True), (planted(bundle)[clothes], False)):
        # Past the gate that keeps secrets out of specs.
        sown = replace(cluster, files=(NodeFile(path="/etc/motd", content=content),))
        rendering, _ = pipeline.render(sown, bundle, ASSETS)
        assert rendering is not None
        case = Case(cluster=sown, bundle=bundle, tree=rendering.tree)
        payloads = iter(case.role_files("worker-workers").values())
        if clean:
            check_worker(case, "worker-workers", payloads)
        else:
            with pytest.raises(AssertionError, match="worker-workers holds"):
                check_worker(case, "worker-workers", payloads)
