"""A new bundle."""

from __future__ import annotations

import secrets
import string
from base64 import b64encode
from collections.abc import Iterable
from datetime import datetime

from imagegen.bundle import CONTROL_PLANE, Bundle, KeyPair
from imagegen.secrets import keys
from imagegen.spec import EncryptionAlgorithm

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
    cluster_ca = keys.new_authority("kubernetes", algorithm, now)
    etcd_ca = keys.new_authority("etcd-ca", algorithm, now)
    front_proxy_ca = keys.new_authority("front-proxy-ca", algorithm, now)
    service_account = keys.new_key(algorithm)
    return Bundle(
        cluster=cluster,
        cluster_ca=cluster_ca,
        etcd_ca=etcd_ca,
        front_proxy_ca=front_proxy_ca,
        service_account=KeyPair(public=keys.public_pem(service_account), private=keys.private_pem(service_account)),
        build_key=keys.new_ssh_key("imagegen-build"),
        encryption_key=new_encryption_key(),
        tokens={name: new_token() for name in (CONTROL_PLANE, *pools)},
        ca_hashes=(keys.ca_hash(cluster_ca),),
        not_before=keys.not_before(cluster_ca, etcd_ca, front_proxy_ca),
    )
