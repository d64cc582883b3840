"""`imagegen secrets encrypt` and `decrypt`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from imagegen.cli.bundles import (
    IdentityOption,
    RecipientOption,
    RecipientsFileOption,
    SecretsOption,
    Sought,
    encrypted_path,
    is_encrypted_file,
    read_bundle,
    read_text,
    recipients,
    secrets_path,
    write_changed,
    write_first,
)
from imagegen.cli.common import SpecArgument, load_assets, read_spec, stop
from imagegen.console import say
from imagegen.output import write_new


def encrypt(
    spec: SpecArgument,
    recipient: RecipientOption = None,
    recipients_file: RecipientsFileOption = None,
    secrets: SecretsOption = None,
    identity: IdentityOption = None,
) -> None:
    """Encrypt the bundle by age.

    A plain bundle becomes a file beside it; one that is encrypted already is encrypted to these recipients, in its
    place.
    """
    cluster = read_spec(spec, load_assets())
    readers = recipients(recipient, recipients_file)
    bundle = read_bundle(spec, cluster, Sought(secrets, identity), every_pool=False)
    path = secrets_path(spec, cluster, secrets)
    chosen = replace(bundle, recipients=readers or bundle.recipients)
    if not chosen.recipients:
        stop("to whom? `--recipient age1…`, an SSH public key, or `--recipients-file FILE`")
    if is_encrypted_file(path):
        write_changed(path, chosen)
        say("older copies of it, in a repository's history too, still open to those who could open them")
        return
    target = encrypted_path(path)
    write_first(target, chosen)
    say(f"check that you can open it, then remove the plain one:\n    imagegen secrets check {spec} --secrets {target}")
    say(f"    rm {path}")


def decrypt(
    spec: SpecArgument,
    secrets: SecretsOption = None,
    identity: IdentityOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="A new file (0600) for the plain text; default: standard output.")
    ] = None,
) -> None:
    """Show the plain text of an encrypted bundle.

    It goes to standard output, or into a new file that nobody else may read.
    """
    cluster = read_spec(spec, load_assets())
    path = secrets_path(spec, cluster, secrets)
    if not path.exists():
        stop(f"{path}: there is no secrets bundle")
    if not is_encrypted_file(path):
        stop(f"{path}: it is not encrypted")
    text = read_text(path, Sought(secrets, identity))
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        write_new(out, text)
    except FileExistsError:
        stop(f"{out}: there is such a file already")
    say(f"wrote {out} (0600), in plain: keep it out of version control")
