"""The bundle encrypted by age (https://age-encryption.org/v1), in memory alone."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

_ARMOR = b"-----BEGIN AGE ENCRYPTED FILE-----"
_HEADER = b"age-encryption.org/"
_PASSPHRASE_STANZA = b"-> scrypt "
_SSH_KEY = b"-----BEGIN "
# As much of the armored text as surely holds the first stanza's type.
_ARMORED_START = 128
_KINDS = "an age1… recipient, or an SSH key: ssh-ed25519 or ssh-rsa"
_INSTALL = "age is not installed: `pip install 'imagegen[age]'` brings pyrage, which encrypts and decrypts"


class AgeError(Exception):
    """What age cannot do, in words that repeat no key."""


def is_encrypted(data: bytes) -> bool:
    """Whether these bytes are an age file, armored or binary."""
    return data.lstrip().startswith((_ARMOR, _HEADER))


def encrypt(text: str, recipients: Iterable[str]) -> str:
    """An armored age file, which lies well in a repository: text, and whole lines that change."""
    age = _age()
    parsed = [_recipient(age, recipient, "recipients") for recipient in recipients]
    encrypted: bytes = age.encrypt(text.encode(), parsed, armored=True)
    return encrypted.decode()


def read_recipients(text: str, file: str) -> tuple[str, ...]:
    """The recipients in a file as `age --recipients-file` takes it: a line each, and comments."""
    lines = tuple(_lines(text, file))
    if not lines:
        raise AgeError(f"{file}: no recipient in it")
    return tuple(check_recipient(line, where) for line, where in lines)


def check_recipient(recipient: str, where: str) -> str:
    """The recipient without blanks around it; `AgeError` if it is none."""
    _recipient(_age(), recipient.strip(), where)
    return recipient.strip()


def decrypt(data: bytes, identity: bytes, key_file: str) -> bytes:
    """What is inside an age file, by the keys of an identity file."""
    age = _age()
    if _PASSPHRASE_STANZA in _start(data):
        raise AgeError("it is encrypted to a passphrase; imagegen takes recipients: decrypt and encrypt it by `age`")
    identities = _identities(age, identity, key_file)
    try:
        decrypted: bytes = age.decrypt(data, identities)
    except age.DecryptError as error:
        if "No matching keys" in str(error):
            raise AgeError(f"no key in {key_file} opens it: it is encrypted to others") from None
        raise AgeError(f"the age file is broken, or cut off ({error})") from None
    return decrypted


def _age() -> ModuleType:
    try:
        import pyrage  # noqa: PLC0415  an extra: most bundles need none
    except ImportError:
        raise AgeError(_INSTALL) from None
    module: ModuleType = pyrage
    return module


def _recipient(age: ModuleType, text: str, where: str) -> Any:
    kind = age.ssh if text.startswith("ssh-") else age.x25519
    try:
        return kind.Recipient.from_str(text)
    except age.RecipientError:
        # What was pasted here by mistake may be a private key.
        raise AgeError(f"{where}: not {_KINDS}") from None


def _identities(age: ModuleType, data: bytes, file: str) -> list[Any]:
    if is_encrypted(data):
        raise AgeError(
            f"{file}: the key has a passphrase, which imagegen does not ask for: give it `--identity "
            f"<(age --decrypt {file})`"
        )
    if data.lstrip().startswith(_SSH_KEY):
        return [_ssh_identity(age, data, file)]
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise AgeError(f"{file}: no age identity and no SSH private key") from None
    found = [_identity(age, line, where) for line, where in _lines(text, file)]
    if not found:
        raise AgeError(f"{file}: no age identity in it")
    return found


def _identity(age: ModuleType, line: str, where: str) -> Any:
    try:
        return age.x25519.Identity.from_str(line)
    except age.IdentityError:
        plugin = "a plugin's key, which imagegen cannot use" if line.startswith("AGE-PLUGIN-") else "no age identity"
        raise AgeError(f"{where}: {plugin}: a line is AGE-SECRET-KEY-1…, or the file is an SSH private key") from None


def _ssh_identity(age: ModuleType, data: bytes, file: str) -> Any:
    try:
        return age.ssh.Identity.from_buffer(data)
    except age.IdentityError as error:
        if "decrypted first" in str(error):
            raise AgeError(
                f"{file}: the SSH key has a passphrase, which imagegen does not ask for: "
                "take a copy without one (`ssh-keygen -p`), or another key"
            ) from None
        raise AgeError(f"{file}: not an SSH key that age takes: ed25519 or RSA") from None


def _lines(text: str, file: str) -> Iterator[tuple[str, str]]:
    """The lines that say something, without blanks around them, and where each stands."""
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#"):
            yield stripped, f"{file}:{number}:{line.index(stripped) + 1}"


def _start(data: bytes) -> bytes:
    """The first bytes behind the armor, as far as they can be read."""
    text = data.lstrip()
    if not text.startswith(_ARMOR):
        return text[:_ARMORED_START]
    body = b"".join(text.removeprefix(_ARMOR).split())[:_ARMORED_START]
    try:
        return b64decode(body)
    except binascii.Error:
        return b""
