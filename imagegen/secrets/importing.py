"""A bundle around the PKI of a cluster that kubeadm made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from imagegen.bundle import Authorities, Authority, Bundle, KeyPair
from imagegen.secrets.keys import split_certificates
from imagegen.secrets.make import bundle_around, new_encryption_key

_AUTHORITIES = ("ca", "etcd/ca", "front-proxy-ca")
FILES = (*(f"{name}.{kind}" for name in _AUTHORITIES for kind in ("crt", "key")), "sa.pub", "sa.key")
"""What a kubeadm `pki` folder must hold; its leaf certificates are kubeadm's to make."""


def import_bundle(cluster: str, pools: Iterable[str], pki: Mapping[str, str]) -> Bundle:
    """A bundle with the folder's CAs and service-account keys, and new tokens; `ValueError` for what is not PEM.

    Where `ca.crt` holds several, the first one signs (kubeadm reads it so); the others are trusted.
    """
    own, *further = split_certificates(pki["ca.crt"])
    cluster_ca, etcd_ca, front_proxy_ca = (
        Authority(certificate=pki[f"{name}.crt"], key=pki[f"{name}.key"]) for name in _AUTHORITIES
    )
    authorities = Authorities(
        cluster_ca=replace(cluster_ca, certificate=own),
        etcd_ca=etcd_ca,
        front_proxy_ca=front_proxy_ca,
        service_account=KeyPair(public=pki["sa.pub"], private=pki["sa.key"]),
        encryption_key=new_encryption_key(),
    )
    return bundle_around(cluster, authorities, pools, tuple(further))
