"""The secrets bundle: what a cluster's trust is made of, as data."""

from collections.abc import Mapping
from datetime import datetime

from imagegen.frozen import dataclass

CONTROL_PLANE = "control-plane"
"""Name of the token that control planes join with; no pool may take it."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Authority:
    """A CA: certificate and private key, PEM."""

    certificate: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class KeyPair:
    """A public and a private key, as text."""

    public: str
    private: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Authorities:
    """What a control plane is made of; `encryption_key` is 32 bytes in base64, for Secrets in etcd."""

    cluster_ca: Authority
    etcd_ca: Authority
    front_proxy_ca: Authority
    service_account: KeyPair
    encryption_key: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Bundle:
    """Everything secret of one cluster; without `authorities` where its control plane was made elsewhere.

    `ca_hashes` are kubeadm's `sha256:` pins of the cluster CA's public key, several while a CA is replaced.
    `not_before` is the moment from which all certificates are valid.
    `trusted_cas` are CAs (PEM, one each) that nodes trust beside the cluster CA: the next one or the one before.
    `recipients` are age's: an encrypted file does not tell to whom it is encrypted.
    """

    cluster: str
    authorities: Authorities | None
    build_key: KeyPair
    tokens: Mapping[str, str]
    ca_hashes: tuple[str, ...]
    not_before: datetime
    trusted_cas: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()

    @property
    def ca_certificates(self) -> str:
        """What nodes and clients trust (PEM), the CA that signs first; nothing without authorities."""
        return "".join((self.authorities.cluster_ca.certificate, *self.trusted_cas)) if self.authorities else ""
