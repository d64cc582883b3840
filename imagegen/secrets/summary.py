"""What a bundle holds, said without a secret."""

from __future__ import annotations

from typing import Any

from cryptography import x509

from imagegen.bundle import Authorities, Bundle
from imagegen.secrets.keys import ca_hashes

_TIME = "%Y-%m-%dT%H:%M:%SZ"


def summarise(bundle: Bundle) -> dict[str, Any]:
    """CAs with their validity, pins, and the public halves (ids) of the tokens."""
    return {
        "cluster": bundle.cluster,
        "caCertHashes": list(bundle.ca_hashes),
        "authorities": _authorities(bundle.authorities) if bundle.authorities else {},
        "trustedCAs": [{"caCertHash": ca_hashes(text)[0], **_validity(text)} for text in bundle.trusted_cas],
        "tokenIDs": {name: token.partition(".")[0] for name, token in bundle.tokens.items()},
        "buildKey": bundle.build_key.public,
        "recipients": list(bundle.recipients),
    }


def _authorities(authorities: Authorities) -> dict[str, dict[str, str]]:
    named = {
        "clusterCA": authorities.cluster_ca,
        "etcdCA": authorities.etcd_ca,
        "frontProxyCA": authorities.front_proxy_ca,
    }
    return {name: _validity(authority.certificate) for name, authority in named.items()}


def _validity(certificate: str) -> dict[str, str]:
    loaded = x509.load_pem_x509_certificate(certificate.encode())
    return {
        "subject": loaded.subject.rfc4514_string(),
        "notBefore": loaded.not_valid_before_utc.strftime(_TIME),
        "notAfter": loaded.not_valid_after_utc.strftime(_TIME),
    }
