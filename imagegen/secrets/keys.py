"""Keys and certificates, by `cryptography`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from imagegen.bundle import Authority, KeyPair
from imagegen.spec import EncryptionAlgorithm

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

# kubeadm back-dates its own certificates as much (release notes of 1.28): nodes' clocks differ a little.
BACK_DATED = timedelta(minutes=5)
CA_LIFETIME = timedelta(days=3650)
CLIENT_LIFETIME = timedelta(days=365)


def new_key(algorithm: EncryptionAlgorithm) -> PrivateKey:
    """A new private key."""
    if algorithm is EncryptionAlgorithm.RSA_2048:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


def private_pem(key: PrivateKey) -> str:
    """The key as PEM, in the form that kubeadm itself writes."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()


def public_pem(key: PrivateKey) -> str:
    """The public half as PEM."""
    return (
        key.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode()
    )


def new_authority(name: str, algorithm: EncryptionAlgorithm, now: datetime) -> Authority:
    """A new self-signed CA with kubeadm's own extensions."""
    key = new_key(algorithm)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=True,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACK_DATED)
        .not_valid_after(now - BACK_DATED + CA_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate=certificate.public_bytes(serialization.Encoding.PEM).decode(), key=private_pem(key))


def new_client(authority: Authority, user: str, group: str, now: datetime) -> KeyPair:
    """A client certificate (`public`) and its key, signed by the authority, good for a year."""
    issuer = x509.load_pem_x509_certificate(authority.certificate.encode())
    signer = serialization.load_pem_private_key(authority.key.encode(), password=None)
    if not isinstance(signer, PrivateKey):
        raise TypeError("a CA's key is ECDSA or RSA")
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(
            x509.Name(
                [
                    x509.NameAttribute(NameOID.ORGANIZATION_NAME, group),
                    x509.NameAttribute(NameOID.COMMON_NAME, user),
                ]
            )
        )
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACK_DATED)
        .not_valid_after(min(now + CLIENT_LIFETIME, issuer.not_valid_after_utc))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(signer, hashes.SHA256())
    )
    return KeyPair(public=certificate.public_bytes(serialization.Encoding.PEM).decode(), private=private_pem(key))


def new_ssh_key(comment: str) -> KeyPair:
    """A new ed25519 key in OpenSSH's format."""
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return KeyPair(public=f"{public.decode()} {comment}", private=private.decode())


def authority_faults(name: str, authority: Authority, now: datetime) -> list[str]:
    """What is wrong with a CA, in words; nothing, if all is well. `ValueError` if it is not PEM."""
    certificate = x509.load_pem_x509_certificate(authority.certificate.encode())
    key = serialization.load_pem_private_key(authority.key.encode(), password=None)
    faults = []
    if spki(certificate.public_key()) != spki(key.public_key()):
        faults.append(f"{name}: the key does not belong to the certificate")
    if not is_ca(authority.certificate):
        faults.append(f"{name}: the certificate is not a CA's")
    if now >= certificate.not_valid_after_utc:
        faults.append(f"{name}: the certificate expired at {certificate.not_valid_after_utc.isoformat()}")
    return faults


def split_certificates(text: str) -> tuple[str, ...]:
    """The certificates in some PEM text, one by one; `ValueError` if there is none."""
    loaded = x509.load_pem_x509_certificates(text.encode())
    return tuple(certificate.public_bytes(serialization.Encoding.PEM).decode() for certificate in loaded)


def is_ca(text: str) -> bool:
    """Whether a certificate (PEM) is a CA's."""
    certificate = x509.load_pem_x509_certificate(text.encode())
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def key_pair_faults(name: str, pair: KeyPair) -> list[str]:
    """What is wrong with a PEM key pair."""
    public = serialization.load_pem_public_key(pair.public.encode())
    private = serialization.load_pem_private_key(pair.private.encode(), password=None)
    return [] if spki(public) == spki(private.public_key()) else [f"{name}: the two keys do not belong together"]


def spki(key: object) -> bytes:
    """DER SubjectPublicKeyInfo of a public key."""
    encoded: bytes = key.public_bytes(  # type: ignore[attr-defined]
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return encoded


def ca_hashes(certificates: str) -> tuple[str, ...]:
    """Kubeadm's pins of one or more CAs (PEM): `sha256:` and the hash of the DER SubjectPublicKeyInfo."""
    loaded = x509.load_pem_x509_certificates(certificates.encode())
    pins = (f"sha256:{sha256(spki(certificate.public_key())).hexdigest()}" for certificate in loaded)
    # A CA that was renewed around its old key has the same pin.
    return tuple(dict.fromkeys(pins))


def not_before(*certificates: str) -> datetime:
    """The moment from which all of them (PEM) are valid."""
    loaded = x509.load_pem_x509_certificates("".join(certificates).encode())
    return max(certificate.not_valid_before_utc for certificate in loaded).astimezone(UTC)
