"""Bundles that age itself opens, and those that it made."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.support.age import KINDS, Key, new_key
from tests.support.specs import run, spec

pytestmark = pytest.mark.tools

ENCRYPTED = Path("demo.secrets.yaml.age")


@pytest.fixture
def age(tool: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The program, in a folder with a spec."""
    monkeypatch.chdir(tmp_path)
    Path("demo.yaml").write_text(yaml.safe_dump(spec()))
    return tool("age")


@pytest.fixture(params=KINDS)
def key(request: pytest.FixtureRequest, tmp_path: Path) -> Key:
    return new_key(tmp_path, request.param)


def decrypted(age: str, key: Key) -> bytes:
    command = [age, "--decrypt", "--identity", str(key.file), str(ENCRYPTED)]
    return subprocess.run(command, check=True, capture_output=True).stdout


def test_age_opens_what_we_encrypt(age: str, key: Key) -> None:
    assert run("secrets", "new", "demo.yaml", "--recipient", key.recipient).exit_code == 0
    plain = decrypted(age, key)
    assert yaml.safe_load(plain)["recipients"] == [key.recipient]
    ours = run("secrets", "decrypt", "demo.yaml", "--identity", key.file).stdout
    assert ours.encode() == plain
    assert run("token", "rotate", "demo.yaml", "--pool", "workers", "--identity", key.file).exit_code == 0
    assert decrypted(age, key) != plain


@pytest.mark.parametrize("form", [["--armor"], []])
def test_we_open_what_age_encrypts(age: str, key: Key, form: list[str]) -> None:
    assert run("secrets", "new", "demo.yaml").exit_code == 0
    plain = Path("demo.secrets.yaml")
    command = [age, "--encrypt", *form, "--recipient", key.recipient, "--output", str(ENCRYPTED), str(plain)]
    subprocess.run(command, check=True, capture_output=True)
    before = plain.read_text()
    plain.unlink()
    checked = run("secrets", "check", "demo.yaml", "--identity", key.file)
    assert checked.exit_code == 0, checked.stderr
    assert run("secrets", "decrypt", "demo.yaml", "--identity", key.file).stdout == before


def test_a_passphrase_of_age_s_own_is_told_apart(age: str, tmp_path: Path) -> None:
    """What age makes of an identity with a passphrase is an age file again; our words tell how to open it."""
    key = new_key(tmp_path)
    run("secrets", "new", "demo.yaml", "--recipient", key.recipient)
    locked = tmp_path / "locked.age"
    command = [age, "--encrypt", "--armor", "--recipient", key.recipient, "--output", str(locked), str(key.file)]
    subprocess.run(command, check=True, capture_output=True)
    refused = run("secrets", "check", "demo.yaml", "--identity", locked)
    assert refused.exit_code == 1
    assert f"age --decrypt {locked}" in refused.stderr


def test_a_passphrase_of_ssh_keygen_s_is_told_apart(
    age: str, tool: Callable[[str], str], key: Key, tmp_path: Path
) -> None:
    assert age
    locked = tmp_path / "locked"
    command = [tool("ssh-keygen"), "-q", "-t", "ed25519", "-N", "secret words", "-f", str(locked)]
    subprocess.run(command, check=True)
    run(
        "secrets",
        "new",
        "demo.yaml",
        "--recipient",
        locked.with_suffix(".pub").read_text(),
        "--recipient",
        key.recipient,
    )
    refused = run("secrets", "check", "demo.yaml", "--identity", locked)
    assert refused.exit_code == 1
    assert "the SSH key has a passphrase" in refused.stderr
