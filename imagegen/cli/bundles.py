"""The secrets bundle as the commands meet it: found, opened, checked, written again in the form that it had."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imagegen.cli.common import decoded, not_text, now, read_limited, stop, stop_for, text_of
from imagegen.console import Format, say, show_report
from imagegen.external import is_tracked_by_git
from imagegen.filetree import PRIVATE, PUBLIC
from imagegen.output import is_private, write_again, write_new

if TYPE_CHECKING:
    from imagegen.bundle import Bundle
    from imagegen.spec import Cluster

KEY_FILE_VARIABLE = "IMAGEGEN_AGE_KEY_FILE"
_ENCRYPTED_SUFFIX = ".age"

SecretsOption = Annotated[
    Path | None,
    typer.Option(
        "--secrets", help="The secrets bundle; default: <cluster>.secrets.yaml beside the spec, or that with .age."
    ),
]
IdentityOption = Annotated[
    Path | None,
    typer.Option(
        "--identity",
        envvar=KEY_FILE_VARIABLE,
        help="The key that opens an encrypted bundle: an age identity file, or an SSH private key.",
    ),
]
RecipientOption = Annotated[
    list[str] | None,
    typer.Option(
        "--recipient", help="Encrypt the bundle by age to this age1… or SSH public key; may be given several times."
    ),
]
RecipientsFileOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--recipients-file", exists=True, dir_okay=False, help="Encrypt to the recipients in this file, a line each."
    ),
]


@dataclass(frozen=True, slots=True)
class Sought:
    """Where the user says that the bundle is, what opens it, and how the outcome is to be written.

    `is_tracked` says whether git has a file; for many files, to ask git once is enough.
    """

    secrets: Path | None
    identity: Path | None
    form: Format = Format.TEXT
    is_tracked: Callable[[Path], bool] = is_tracked_by_git


def secrets_path(spec: Path, cluster: Cluster, given: Path | None, form: Format = Format.TEXT) -> Path:
    """Where the bundle lies, or would lie in plain; ends the program where there are two."""
    plain = spec.parent / f"{cluster.metadata.name}.secrets.yaml"
    encrypted = encrypted_path(plain)
    if given:
        return given
    if plain.exists() and encrypted.exists():
        stop(
            f"both {plain} and {encrypted} are there: `--secrets` names one; "
            "once you know which of them counts, remove the other",
            form,
        )
    return encrypted if encrypted.exists() else plain


def encrypted_path(plain: Path) -> Path:
    """Where the encrypted form of a bundle lies: as `age --output` is mostly told, and as its name is then read."""
    return plain.with_name(plain.name + _ENCRYPTED_SUFFIX)


def read_bundle(spec: Path, cluster: Cluster, sought: Sought, *, every_pool: bool = True) -> Bundle:
    """The checked bundle; says how to make one where there is none."""
    form = sought.form
    path = secrets_path(spec, cluster, sought.secrets, form)
    if not path.exists():
        stop(
            f"{path}: there is no secrets bundle: `imagegen secrets new {spec}` makes one, once for the cluster's life",
            form,
        )
    # A pipe may be one: what decrypts a bundle need not put it on the disk.
    if not (path.is_file() or path.is_fifo()):
        stop(f"{path}: no secrets bundle: neither a file nor a pipe", form)
    text = read_text(path, sought)
    return checked(cluster, text, path, every_pool=every_pool, form=form)


def checked(cluster: Cluster, text: str, path: Path, *, every_pool: bool = True, form: Format = Format.TEXT) -> Bundle:
    """The bundle in this text; shows what is wrong with it, and ends the program then."""
    from imagegen.pipeline import check_bundle  # noqa: PLC0415  the stages are slow to import

    bundle, report = check_bundle(cluster, text, str(path), now(), every_pool=every_pool)
    if bundle is None:
        stop_for(report, form)
    show_report(report)
    return bundle


def read_text(path: Path, sought: Sought) -> str:
    """The plain text of a bundle, decrypted in memory where it is encrypted."""
    from imagegen.secrets.encryption import is_encrypted  # noqa: PLC0415  only commands that need the bundle

    data, form = read_limited(path), sought.form
    if is_encrypted(data):
        data = _decrypted(data, path, sought)
    elif not is_private(path):
        stop(f"{path}: others may read the secrets bundle: `chmod 600 {path}`, and think of its secrets as known", form)
    elif sought.is_tracked(path):
        stop(
            f"{path}: git tracks the secrets bundle: `git rm --cached {path}`, and think of its secrets as known", form
        )
    try:
        return decoded(data)
    except UnicodeDecodeError as error:
        stop_for(not_text(path, error), form)


def is_encrypted_file(path: Path) -> bool:
    """Whether a bundle is encrypted, whatever its name."""
    from imagegen.secrets.encryption import is_encrypted  # noqa: PLC0415  as above

    return is_encrypted(path.read_bytes())


def _decrypted(data: bytes, path: Path, sought: Sought) -> bytes:
    from imagegen.secrets.encryption import AgeError, decrypt  # noqa: PLC0415  as above

    identity, form = sought.identity, sought.form
    if identity is None:
        stop(f"{path}: the bundle is encrypted: name your key by `--identity FILE` or in {KEY_FILE_VARIABLE}", form)
    if sought.is_tracked(identity):
        stop(f"{identity}: git tracks the key to the bundle: take it out, and think of all secrets as known", form)
    try:
        return decrypt(data, identity.read_bytes(), str(identity))
    except AgeError as error:
        stop(f"{path}: {error}", form)


def recipients(given: list[str] | None, files: list[Path] | None) -> tuple[str, ...]:
    """Those of the options and of the files, each once; ends the program where one is none."""
    from imagegen.secrets.encryption import AgeError, check_recipient, read_recipients  # noqa: PLC0415  as above

    try:
        found = [check_recipient(text, f"--recipient {number}") for number, text in enumerate(given or (), 1)]
        for file in files or ():
            found += read_recipients(text_of(file), str(file))
    except AgeError as error:
        stop(str(error))
    return tuple(dict.fromkeys(found))


def write_first(path: Path, bundle: Bundle) -> None:
    """Write a bundle where none is: encrypted if it has recipients."""
    encrypted = bool(bundle.recipients)
    try:
        write_new(path, _written(bundle, Format.TEXT, encrypted=encrypted), PUBLIC if encrypted else PRIVATE)
    except FileExistsError:
        stop(f"{path}: there is a bundle already, and a second one would make a second cluster; move it away first")
    if encrypted:
        say(f"wrote {path}, encrypted to {_count(bundle)}: it may lie in a repository; keep the keys that open it safe")
    else:
        say(f"wrote {path} (0600): keep it out of version control, and keep a copy safe")


def write_changed(path: Path, bundle: Bundle, form: Format = Format.TEXT) -> str:
    """Write a bundle in the place of an older one, in the form that it had; gives its plain text."""
    from imagegen.secrets.store import dump_bundle  # noqa: PLC0415  `cryptography` is slow to import

    encrypted = is_encrypted_file(path)
    if encrypted and not bundle.recipients:
        stop(
            f"{path}: the bundle does not say to whom it is encrypted (age files do not tell): "
            "`imagegen secrets encrypt` with `--recipient` writes it down",
            form,
        )
    write_again(path, _written(bundle, form, encrypted=encrypted))
    if encrypted and form is Format.TEXT:
        say(f"{path}: encrypted to {_count(bundle)}")
    return dump_bundle(bundle)


def _written(bundle: Bundle, form: Format, *, encrypted: bool) -> str:
    from imagegen.secrets.encryption import AgeError, encrypt  # noqa: PLC0415  as above
    from imagegen.secrets.store import dump_bundle  # noqa: PLC0415  as above

    if not encrypted:
        return dump_bundle(bundle)
    try:
        return encrypt(dump_bundle(bundle), bundle.recipients)
    except AgeError as error:
        stop(f"the bundle cannot be encrypted: {error}", form)


def _count(bundle: Bundle) -> str:
    number = len(bundle.recipients)
    return f"{number} recipient{'s' if number > 1 else ''}"
