"""Signatures of package indexes, by the program that Debian checks them with."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

_ARMOUR = re.compile(rb"-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(?:.*?\r?\n)?\r?\n(.*?)\r?\n=", re.DOTALL)


class SignatureError(Exception):
    """A signature that is not of any of the keys."""


def usable(keyrings: Sequence[Path]) -> str:
    """Why no signature can be checked; nothing: it can."""
    if shutil.which("gpgv") is None:
        return "there is no gpgv on this machine"
    return "" if any(path.is_file() for path in keyrings) else "there is no keyring for it: name one with --keyring"


def verify(signed: bytes, detached: bytes | None, keyrings: Sequence[Path], scratch: Path) -> bytes:
    """What was signed; `SignatureError` unless one of the keys signed it. `detached`: the signature apart from it."""
    command = ["gpgv", "--quiet"]
    for number, path in enumerate(path for path in keyrings if path.is_file()):
        plain = scratch / f"keyring-{number}.gpg"
        plain.write_bytes(_plain(path.read_bytes()))
        command += ["--keyring", str(plain)]
    data = scratch / "signed"
    data.write_bytes(signed)
    if detached is None:
        output = scratch / "content"
        command += ["--output", str(output), str(data)]
    else:
        output = data
        (scratch / "signature").write_bytes(detached)
        command += [str(scratch / "signature"), str(data)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, timeout=60)
    if done.returncode != 0:
        raise SignatureError("; ".join(line.removeprefix("gpgv: ") for line in done.stderr.strip().splitlines()))
    return output.read_bytes()


def _plain(key: bytes) -> bytes:
    """A key as gpgv takes it: vendors publish theirs as text."""
    armoured = _ARMOUR.findall(key)
    return b"".join(base64.b64decode(block) for block in armoured) if armoured else key
