"""A bundle without secrets: what is said about a role before there is a bundle is said with this one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from imagegen.bundle import CONTROL_PLANE, Authorities, Authority, Bundle, KeyPair
from imagegen.spec import Cluster, EncryptionAlgorithm

MARK = "PLACEHOLDER"
"""Stands in each secret of this bundle: a file that holds it would hold a secret."""
ROUGH = "ABOUT-THIS-LONG"
"""Stands in what differs by some bytes from bundle to bundle, secret or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sizes:
    """Bytes of PEM, as the real ones have them give or take the encoding of a number."""

    cluster_ca: int
    etcd_ca: int
    front_proxy_ca: int
    key: int
    public: int


_SIZES = {
    EncryptionAlgorithm.ECDSA_P256: _Sizes(cluster_ca=587, etcd_ca=577, front_proxy_ca=605, key=227, public=178),
    EncryptionAlgorithm.RSA_2048: _Sizes(cluster_ca=1123, etcd_ca=1111, front_proxy_ca=1139, key=1679, public=451),
}
_PIN = "sha256:" + 64 * "0"


def bundle_for(cluster: Cluster) -> Bundle:
    """As long as a real one, and of no use."""
    pools = tuple(pool.name for pool in cluster.node_pools)
    existing = cluster.control_plane.existing
    return Bundle(
        cluster=cluster.metadata.name,
        authorities=None if existing else _authorities(_SIZES[cluster.kubeadm.encryption_algorithm]),
        build_key=KeyPair(public="", private=""),
        tokens=dict.fromkeys(pools if existing else (CONTROL_PLANE, *pools), f"000000.{MARK:0<16}"),
        ca_hashes=(_PIN,) * (existing.ca_certificate.count("-----BEGIN CERTIFICATE-----") if existing else 1),
        not_before=datetime.fromtimestamp(0, UTC),
    )


def _authorities(sizes: _Sizes) -> Authorities:
    secret = _text(sizes.key, MARK)
    return Authorities(
        cluster_ca=Authority(certificate=_text(sizes.cluster_ca), key=secret),
        etcd_ca=Authority(certificate=_text(sizes.etcd_ca), key=secret),
        front_proxy_ca=Authority(certificate=_text(sizes.front_proxy_ca), key=secret),
        service_account=KeyPair(public=_text(sizes.public), private=secret),
        encryption_key=MARK.ljust(44, "0"),
    )


def _text(size: int, words: str = "") -> str:
    """Lines as those of PEM: a head, a foot, and 64 letters a line between them."""
    head, foot = f"{ROUGH} {words}".ljust(27, "0") + "\n", "0" * 25 + "\n"
    body = size - len(head) - len(foot)
    return head + "".join("0" * (min(65, body - start) - 1) + "\n" for start in range(0, body, 65)) + foot
