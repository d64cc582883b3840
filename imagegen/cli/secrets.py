"""`imagegen secrets`."""

from __future__ import annotations

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
    Sought,
    checked,
    encrypted_path,
    is_encrypted_file,
    read_bundle,
    recipients,
    secrets_path,
    write_first,
)
from imagegen.cli.common import FormatOption, SpecArgument, load_assets, now, read_spec, stop
from imagegen.console import Format, say, show_json, show_table

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
    """Make the bundle, once for the cluster's life.

    A bundle that is there already is never overwritten.
    """
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
    """Make the bundle around the CAs of a cluster that is there.

    They are read from a copy of /etc/kubernetes/pki, as kubeadm made it on a control plane.
    """
    from imagegen.secrets.importing import FILES, import_bundle  # noqa: PLC0415
    from imagegen.secrets.store import dump_bundle  # noqa: PLC0415

    cluster = read_spec(spec, load_assets())
    readers = recipients(recipient, recipients_file)
    missing = [name for name in FILES if not (pki / name).is_file()]
    if missing:
        stop(f"{pki}: no kubeadm pki folder: {', '.join(missing)} missing")
    try:
        content = {name: (pki / name).read_text(encoding="utf-8") for name in FILES}
        bundle = import_bundle(cluster.metadata.name, (pool.name for pool in cluster.node_pools), content)
    except ValueError:
        stop(f"{pki}: a certificate or key there is not PEM")
    checked(cluster, dump_bundle(bundle), pki)
    _write(secrets_path(spec, cluster, secrets), bundle, secrets, readers)


@app.command()
def check(
    spec: SpecArgument,
    secrets: SecretsOption = None,
    identity: IdentityOption = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Check the bundle: its keys, dates, tokens, and who may read it.

    Each key must belong to its certificate, nothing be expired, each pool have a token, and nobody else be able to read
    the file.
    """
    cluster = read_spec(spec, load_assets(), form)
    bundle = read_bundle(spec, cluster, Sought(secrets, identity, form))
    path = secrets_path(spec, cluster, secrets)
    encrypted = is_encrypted_file(path)
    if form is Format.JSON:
        show_json({"path": str(path), "cluster": bundle.cluster, "encrypted": encrypted, "findings": []})
    else:
        how = "encrypted" if encrypted else "not encrypted"
        say(f"{path}: the secrets of cluster `{bundle.cluster}` are fine ({how})")


@app.command()
def show(
    spec: SpecArgument,
    secrets: SecretsOption = None,
    identity: IdentityOption = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Say what the bundle holds, without any secret.

    That is its CAs and until when they are good, the pins of the cluster's CA, and the ids of the tokens.
    """
    from imagegen.secrets.summary import summarise  # noqa: PLC0415  `cryptography` is slow to import

    cluster = read_spec(spec, load_assets(), form)
    summary = summarise(read_bundle(spec, cluster, Sought(secrets, identity, form), every_pool=False))
    if form is Format.JSON:
        show_json(summary)
        return
    if rows := [(name, *validity.values()) for name, validity in summary["authorities"].items()]:
        show_table(("authority", "subject", "not before", "not after"), rows)
        say("")
    if rows := [tuple(facts.values()) for facts in summary["trustedCAs"]]:
        show_table(("trusted, too", "subject", "not before", "not after"), rows)
        say("")
    show_table(("pool", "token id"), list(summary["tokenIDs"].items()))
    say("")
    for pin in summary["caCertHashes"]:
        say(f"--discovery-token-ca-cert-hash {pin}")
    for recipient in summary["recipients"]:
        say(f"encrypted to {recipient}")


def _joining(make: Callable[[str, list[str], str], Bundle], name: str, pools: list[str], certificates: str) -> Bundle:
    try:
        return make(name, pools, certificates)
    except ValueError:
        stop("controlPlane.existing.caCertificate: not a certificate that can be read")


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
