"""`imagegen secrets`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imagegen.cli import secrets_age, secrets_trust
from imagegen.cli.bundles import (
    IdentityOption,
    RecipientOption,
    RecipientsFileOption,
    SecretsOption,
    checked,
    encrypted_path,
    is_encrypted_file,
    read_bundle,
    recipients,
    secrets_path,
    stop,
    write_first,
)
from imagegen.cli.common import FINDINGS, SpecArgument, load_assets, now, read_spec
from imagegen.console import Format, complain, say, show_table

if TYPE_CHECKING:
    from imagegen.bundle import Bundle

app = typer.Typer(help="The secrets bundle: CAs, keys and tokens of one cluster.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """The secrets bundle: CAs, keys and tokens of one cluster."""


@app.command()
def new(
    spec: SpecArgument,
    secrets: SecretsOption = None,
    recipient: RecipientOption = None,
    recipients_file: RecipientsFileOption = None,
) -> None:
    """Make the bundle, once for the cluster's life; never overwrites one."""
    from imagegen.secrets.make import make_bundle, make_joining_bundle  # noqa: PLC0415  `cryptography` is slow to import

    cluster = read_spec(spec, load_assets())
    readers = recipients(recipient, recipients_file)
    name, pools = cluster.metadata.name, [pool.name for pool in cluster.node_pools]
    existing = cluster.control_plane.existing
    if existing is None:
        bundle = make_bundle(name, pools, cluster.kubeadm.encryption_algorithm, now())
    else:
        bundle = _joining(make_joining_bundle, name, pools, existing.ca_certificate)
    _write(secrets_path(spec, cluster, secrets), bundle, secrets, readers)
    if existing is not None:
        say("the cluster does not know these tokens yet: `imagegen token renew` makes each pool's Secret to apply")


@app.command("import")
def import_(
    spec: SpecArgument,
    pki: Annotated[Path, typer.Option("--pki", file_okay=False, exists=True, help="A kubeadm `pki` folder.")],
    secrets: SecretsOption = None,
    recipient: RecipientOption = None,
    recipients_file: RecipientsFileOption = None,
) -> None:
    """Make the bundle around the CAs of a cluster that kubeadm made: /etc/kubernetes/pki of a control plane."""
    from imagegen.secrets.importing import FILES, import_bundle  # noqa: PLC0415
    from imagegen.secrets.store import dump_bundle  # noqa: PLC0415

    cluster = read_spec(spec, load_assets())
    readers = recipients(recipient, recipients_file)
    missing = [name for name in FILES if not (pki / name).is_file()]
    if missing:
        complain(f"{pki}: no kubeadm pki folder: {', '.join(missing)} missing")
        raise typer.Exit(FINDINGS)
    content = {name: (pki / name).read_text() for name in FILES}
    try:
        bundle = import_bundle(cluster.metadata.name, (pool.name for pool in cluster.node_pools), content)
    except ValueError:
        complain(f"{pki}: a certificate or key there is not PEM")
        raise typer.Exit(FINDINGS) from None
    checked(cluster, dump_bundle(bundle), pki)
    _write(secrets_path(spec, cluster, secrets), bundle, secrets, readers)


@app.command()
def check(spec: SpecArgument, secrets: SecretsOption = None, identity: IdentityOption = None) -> None:
    """Check the bundle: keys match certificates, nothing expired, a token for each pool, nobody else may read it."""
    cluster = read_spec(spec, load_assets())
    bundle = read_bundle(spec, cluster, secrets, identity)
    path = secrets_path(spec, cluster, secrets)
    form = "encrypted" if is_encrypted_file(path) else "not encrypted"
    say(f"{path}: the secrets of cluster `{bundle.cluster}` are fine ({form})")


@app.command()
def show(
    spec: SpecArgument,
    secrets: SecretsOption = None,
    identity: IdentityOption = None,
    form: Annotated[Format, typer.Option("--format", help="How it is written.")] = Format.TEXT,
) -> None:
    """Say what the bundle holds, without any secret: CAs, pins, ids of tokens."""
    from imagegen.secrets.summary import summarise  # noqa: PLC0415  `cryptography` is slow to import

    cluster = read_spec(spec, load_assets())
    summary = summarise(read_bundle(spec, cluster, secrets, identity, every_pool=False))
    if form is Format.JSON:
        say(json.dumps(summary, indent=2))
        return
    rows = [(name, *validity.values()) for name, validity in summary["authorities"].items()]
    show_table(("authority", "subject", "not before", "not after"), rows)
    rows = [tuple(facts.values()) for facts in summary["trustedCAs"]]
    if rows:
        show_table(("trusted, too", "subject", "not before", "not after"), rows)
    for pin in summary["caCertHashes"]:
        say(f"--discovery-token-ca-cert-hash {pin}")
    show_table(("pool", "token id"), list(summary["tokenIDs"].items()))
    for recipient in summary["recipients"]:
        say(f"encrypted to {recipient}")


def _joining(make: Callable[[str, list[str], str], Bundle], name: str, pools: list[str], certificates: str) -> Bundle:
    try:
        return make(name, pools, certificates)
    except ValueError:
        complain("controlPlane.existing.caCertificate: not a certificate that can be read")
        raise typer.Exit(FINDINGS) from None


def _write(path: Path, bundle: Bundle, given: Path | None, readers: tuple[str, ...]) -> None:
    if given is None and path.exists():
        stop(f"{path}: there is a bundle already, and a second one would make a second cluster; move it away first")
    target = encrypted_path(path) if readers and given is None else path
    write_first(target, replace(bundle, recipients=readers))


app.command()(secrets_age.encrypt)
app.command()(secrets_age.decrypt)
app.command()(secrets_trust.trust)
app.command()(secrets_trust.distrust)
app.command("replace-ca")(secrets_trust.replace_ca)
