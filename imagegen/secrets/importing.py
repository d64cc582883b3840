"""A bundle around the PKI of a cluster that kubeadm made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from imagegen.bundle import CONTROL_PLANE, Authority, Bundle, KeyPair
from imagegen.secrets import keys
from imagegen.secrets.make import new_encryption_key, new_token

FILES = (
    "ca.crt",
    "ca.key",
    "etcd/ca.crt",
    "etcd/ca.key",
    "front-proxy-ca.crt",
    "front-proxy-ca.key",
    "sa.pub",
    "sa.key",
)
"""What a kubeadm `pki` folder must hold; its leaf certificates are kubeadm's to make."""


def import_bundle(cluster: str, pools: Iterable[str], pki: Mapping[str, str]) -> Bundle:
    """A bundle with the folder's CAs and service-account keys, and new tokens; `ValueError` for what is not PEM."""
    cluster_ca, etcd_ca, front_proxy_ca = (
        Authority(certificate=pki[f"{name}.crt"], key=pki[f"{name}.key"])
        for name in ("ca", "etcd/ca", "front-proxy-ca")
    )
    return Bundle(
        cluster=cluster,
        cluster_ca=cluster_ca,
        etcd_ca=etcd_ca,
        front_proxy_ca=front_proxy_ca,
        service_account=KeyPair(public=pki["sa.pub"], private=pki["sa.key"]),
        build_key=keys.new_ssh_key("imagegen-build"),
        encryption_key=new_encryption_key(),
        tokens={name: new_token() for name in (CONTROL_PLANE, *pools)},
        ca_hashes=(keys.ca_hash(cluster_ca),),
        not_before=keys.not_before(cluster_ca, etcd_ca, front_proxy_ca),
    )
