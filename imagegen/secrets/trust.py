"""The cluster CA replaced, step by step: the next one trusted, then signing, then the one before dropped.

`ValueError` says in words why something cannot be done.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from imagegen.bundle import Authorities, Authority, Bundle
from imagegen.secrets.keys import authority_faults, ca_hashes, is_ca, not_before, split_certificates


def with_trusted(bundle: Bundle, certificates: str) -> Bundle:
    """The bundle with further CAs (PEM) that nodes trust."""
    authorities = _authorities(bundle)
    try:
        further = split_certificates(certificates)
    except ValueError:
        raise ValueError("no certificate in PEM") from None
    if not all(is_ca(text) for text in further):
        raise ValueError("a certificate there is not a CA's")
    return _trusting(bundle, authorities, (*bundle.trusted_cas, *further))


def without_trusted(bundle: Bundle, pin: str) -> Bundle:
    """The bundle without the trusted CA of this pin."""
    authorities = _authorities(bundle)
    kept = tuple(text for text in bundle.trusted_cas if pin not in ca_hashes(text))
    if len(kept) < len(bundle.trusted_cas):
        return _trusting(bundle, authorities, kept)
    if pin in ca_hashes(authorities.cluster_ca.certificate):
        raise ValueError("this is the CA that signs: `imagegen secrets replace-ca` puts another in its place first")
    known = ", ".join(known for text in bundle.trusted_cas for known in ca_hashes(text))
    raise ValueError(f"no trusted CA has the hash {pin}; known: {known or 'none'}")


def with_cluster_ca(bundle: Bundle, authority: Authority, now: datetime) -> Bundle:
    """The bundle with another CA that signs; the one before stays trusted."""
    authorities = _authorities(bundle)
    try:
        faults = authority_faults("ca", authority, now)
        own, *others = split_certificates(authority.certificate)
    except (ValueError, TypeError):
        raise ValueError("the certificate or the key is not PEM, or the key has a passphrase") from None
    if others:
        faults.append("the file holds several certificates, and one alone can sign")
    if faults:
        raise ValueError("; ".join(faults))
    signing = replace(authorities, cluster_ca=replace(authority, certificate=own))
    return _trusting(bundle, signing, (authorities.cluster_ca.certificate, *bundle.trusted_cas))


def _trusting(bundle: Bundle, authorities: Authorities, certificates: Iterable[str]) -> Bundle:
    """The bundle with exactly these trusted CAs, each once and never the one that signs; pins and dates follow."""
    own = split_certificates(authorities.cluster_ca.certificate)
    canonical = (text for certificate in certificates for text in split_certificates(certificate))
    trusted = tuple(dict.fromkeys(text for text in canonical if text not in own))
    cluster_cas = "".join((*own, *trusted))
    others = (authorities.etcd_ca.certificate, authorities.front_proxy_ca.certificate)
    return replace(
        bundle,
        authorities=authorities,
        trusted_cas=trusted,
        ca_hashes=ca_hashes(cluster_cas),
        not_before=not_before(cluster_cas, *others),
    )


def _authorities(bundle: Bundle) -> Authorities:
    if bundle.authorities is None:
        raise ValueError(
            "the control plane was made elsewhere: its CAs stand in the spec, at `controlPlane.existing.caCertificate`"
        )
    return bundle.authorities
