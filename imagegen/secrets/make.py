"""A new bundle."""

from __future__ import annotations

import secrets
import string
from base64 import b64encode
from collections.abc import Iterable
from datetime import datetime

from imagegen.bundle import CONTROL_PLANE, Authorities, Bundle, KeyPair
from imagegen.secrets import keys
from imagegen.spec import EncryptionAlgorithm

BUILD_KEY_COMMENT = "imagegen-build"
_TOKEN_ALPHABET = string.ascii_lowercase + string.digits


def new_token() -> str:
    """A bootstrap token, `[a-z0-9]{6}.[a-z0-9]{16}` (kubeadm's own format)."""
    return f"{_random(6)}.{_random(16)}"


def new_encryption_key() -> str:
    """32 random bytes in base64: what the API server's secretbox provider takes."""
    return b64encode(secrets.token_bytes(32)).decode()


def _random(length: int) -> str:
    return "".join(secrets.choice(_TOKEN_ALPHABET) for _ in range(length))


def make_bundle(cluster: str, pools: Iterable[str], algorithm: EncryptionAlgorithm, now: datetime) -> Bundle:
    """A bundle with new CAs and keys, a token for control planes and one for each pool; `now` in UTC."""
    service_account = keys.new_key(algorithm)
    authorities = Authorities(
        cluster_ca=keys.new_authority("kubernetes", algorithm, now),
        etcd_ca=keys.new_authority("etcd-ca", algorithm, now),
        front_proxy_ca=keys.new_authority("front-proxy-ca", algorithm, now),
        service_account=KeyPair(public=keys.public_pem(service_account), private=keys.private_pem(service_account)),
        encryption_key=new_encryption_key(),
    )
    return bundle_around(cluster, authorities, pools)


def bundle_around(
    cluster: str, authorities: Authorities, pools: Iterable[str], trusted_cas: tuple[str, ...] = ()
) -> Bundle:
    """A bundle with these authorities, and everything else new; `ValueError` for certificates that are not PEM."""
    trusted = "".join((authorities.cluster_ca.certificate, *trusted_cas))
    certificates = (
        trusted,
        authorities.etcd_ca.certificate,
        authorities.front_proxy_ca.certificate,
    )
    return Bundle(
        cluster=cluster,
        authorities=authorities,
        build_key=keys.new_ssh_key(BUILD_KEY_COMMENT),
        tokens={name: new_token() for name in (CONTROL_PLANE, *pools)},
        ca_hashes=keys.ca_hashes(trusted),
        not_before=keys.not_before(*certificates),
        trusted_cas=trusted_cas,
    )


def make_joining_bundle(cluster: str, pools: Iterable[str], ca_certificates: str) -> Bundle:
    """A bundle for pools of a cluster that was made elsewhere: tokens, and no key of the cluster."""
    return Bundle(
        cluster=cluster,
        authorities=None,
        build_key=keys.new_ssh_key(BUILD_KEY_COMMENT),
        tokens={name: new_token() for name in pools},
        ca_hashes=keys.ca_hashes(ca_certificates),
        not_before=keys.not_before(ca_certificates),
    )
