"""A bundle around the PKI of a cluster that kubeadm made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from imagegen.bundle import Authorities, Authority, Bundle, KeyPair
from imagegen.secrets.make import bundle_around, new_encryption_key

_AUTHORITIES = ("ca", "etcd/ca", "front-proxy-ca")
FILES = (*(f"{name}.{kind}" for name in _AUTHORITIES for kind in ("crt", "key")), "sa.pub", "sa.key")
"""What a kubeadm `pki` folder must hold; its leaf certificates are kubeadm's to make."""


def import_bundle(cluster: str, pools: Iterable[str], pki: Mapping[str, str]) -> Bundle:
    """A bundle with the folder's CAs and service-account keys, and new tokens; `ValueError` for what is not PEM."""
    cluster_ca, etcd_ca, front_proxy_ca = (
        Authority(certificate=pki[f"{name}.crt"], key=pki[f"{name}.key"]) for name in _AUTHORITIES
    )
    authorities = Authorities(
        cluster_ca=cluster_ca,
        etcd_ca=etcd_ca,
        front_proxy_ca=front_proxy_ca,
        service_account=KeyPair(public=pki["sa.pub"], private=pki["sa.key"]),
        encryption_key=new_encryption_key(),
    )
    return bundle_around(cluster, authorities, pools)
