"""The bundle encrypted by age: who can open it, and what is said where nobody can."""

from __future__ import annotations

import sys
from base64 import b64decode
from pathlib import Path

import pyrage
import pytest

from imagegen.secrets.encryption import AgeError, check_recipient, decrypt, encrypt, is_encrypted, read_recipients
from tests.support.age import KINDS, Key, new_key

TEXT = "apiVersion: imagegen/v1alpha1\n# ä 🎈\n"


@pytest.fixture
def key(tmp_path: Path) -> Key:
    return new_key(tmp_path)


def opened(data: bytes, key: Key) -> str:
    return decrypt(data, key.file.read_bytes(), str(key.file)).decode()


@pytest.mark.parametrize("kind", KINDS)
def test_each_recipient_opens_it(kind: str, tmp_path: Path) -> None:
    one, other = new_key(tmp_path, kind), new_key(tmp_path, name="other")
    data = encrypt(TEXT, [one.recipient, other.recipient])
    assert data.startswith("-----BEGIN AGE ENCRYPTED FILE-----\n")
    assert is_encrypted(data.encode())
    assert [opened(data.encode(), each) for each in (one, other)] == [TEXT, TEXT]


def test_one_of_several_identities_opens_it(tmp_path: Path) -> None:
    one, other = new_key(tmp_path), new_key(tmp_path, name="other")
    both = other.file.read_bytes() + b"\n# and\n" + one.file.read_bytes()
    assert decrypt(encrypt(TEXT, [one.recipient]).encode(), both, "both") == TEXT.encode()


def test_a_binary_file_is_opened_too(key: Key) -> None:
    data = pyrage.encrypt(TEXT.encode(), [pyrage.x25519.Recipient.from_str(key.recipient)])
    assert is_encrypted(data)
    assert opened(data, key) == TEXT


@pytest.mark.parametrize(
    "data", [b"", b"apiVersion: a\n", b"# age-encryption.org/v1\n", b"-----BEGIN CERTIFICATE-----"]
)
def test_what_is_no_age_file(data: bytes) -> None:
    assert not is_encrypted(data)


def refusal(data: bytes, identity: bytes) -> str:
    with pytest.raises(AgeError) as caught:
        decrypt(data, identity, "key.txt")
    return str(caught.value)


def test_a_stranger_s_key_opens_nothing(key: Key, tmp_path: Path) -> None:
    data = encrypt(TEXT, [key.recipient]).encode()
    assert "no key in key.txt opens it" in refusal(data, new_key(tmp_path, name="other").file.read_bytes())


def test_a_file_that_was_changed_is_refused(key: Key) -> None:
    lines = encrypt(TEXT, [key.recipient]).splitlines(keepends=True)
    changed = lines[-2].swapcase()
    assert changed != lines[-2]
    for data in ("".join([*lines[:-2], changed, lines[-1]]), "".join(lines[:-3]), lines[0]):
        assert "broken, or cut off" in refusal(data.encode(), key.file.read_bytes())


def test_a_passphrase_is_not_asked_for(key: Key) -> None:
    locked = pyrage.passphrase.encrypt(key.file.read_bytes(), "secret", armored=True)
    body = b"".join(locked.splitlines()[1:-1])
    for to_a_passphrase in (locked, b64decode(body)):
        assert "encrypted to a passphrase" in refusal(to_a_passphrase, key.file.read_bytes())
    data = encrypt(TEXT, [key.recipient]).encode()
    assert "age --decrypt key.txt" in refusal(data, locked)


@pytest.mark.parametrize(
    ("identity", "says"),
    [
        (b"", "key.txt: no age identity in it"),
        (b"# nothing\n\n", "key.txt: no age identity in it"),
        (b"# one\n  AGE-SECRET-KEY-1NONE\n", "key.txt:2:3: no age identity"),
        (b"AGE-PLUGIN-YUBIKEY-1NONE\n", "key.txt:1:1: a plugin's key"),
        (b"\xff\xfe", "key.txt: no age identity and no SSH private key"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "key.txt: not an SSH key that age takes"),
    ],
)
def test_what_is_no_identity(key: Key, identity: bytes, says: str) -> None:
    said = refusal(encrypt(TEXT, [key.recipient]).encode(), identity)
    assert says in said
    assert "NONE" not in said


@pytest.mark.parametrize(
    "recipient", ["", "age1abc", "AGE-SECRET-KEY-1NONE", "ssh-dss AAAA", "ssh-ed25519 AAAA", "bob"]
)
def test_what_is_no_recipient(recipient: str) -> None:
    with pytest.raises(AgeError, match=r"^here: not an age1…") as caught:
        check_recipient(recipient, "here")
    assert "NONE" not in str(caught.value)


def test_a_file_of_recipients(key: Key, tmp_path: Path) -> None:
    ssh = new_key(tmp_path, "ssh-ed25519")
    text = f"# alice\n  {key.recipient}\n\n{ssh.recipient}\n"
    assert read_recipients(text, "keys.txt") == (key.recipient, ssh.recipient)
    with pytest.raises(AgeError, match=r"^keys\.txt:5:1: not an age1"):
        read_recipients(f"{text}bob\n", "keys.txt")
    with pytest.raises(AgeError, match="no recipient in it"):
        read_recipients("# nobody\n", "keys.txt")


def test_without_pyrage_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyrage", None)
    for act in (lambda: encrypt(TEXT, ["age1"]), lambda: decrypt(b"", b"", ""), lambda: check_recipient("age1", "")):
        with pytest.raises(AgeError, match=r"pip install 'imagegen\[age\]'"):
            act()
