"""Keys for age, made at run time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyrage
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

KINDS = ("age", "ssh-ed25519", "ssh-rsa")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Key:
    """An identity file, and the recipient that belongs to it."""

    file: Path
    recipient: str


def new_key(folder: Path, kind: str = "age", *, name: str = "key") -> Key:
    """A new key of a kind that age takes."""
    file = folder / f"{name}.{kind}"
    if kind == "age":
        identity = pyrage.x25519.Identity.generate()
        file.write_text(f"# made by a test\n{identity}\n")
        return Key(file=file, recipient=str(identity.to_public()))
    private = (
        ed25519.Ed25519PrivateKey.generate()
        if kind == "ssh-ed25519"
        else rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    pem, openssh = serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH
    file.write_bytes(private.private_bytes(pem, openssh, serialization.NoEncryption()))
    # The real ssh-keygen refuses what others may read, and so does a careful user.
    file.chmod(0o600)
    public = private.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return Key(file=file, recipient=f"{public.decode()} {name}")
