"""`imagegen secrets`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imagegen.cli.common import (
    FINDINGS,
    SecretsOption,
    SpecArgument,
    load_assets,
    now,
    read_bundle,
    read_spec,
    secrets_path,
)
from imagegen.console import Format, complain, say, show_report, show_table
from imagegen.output import write_new

if TYPE_CHECKING:
    from imagegen.bundle import Bundle

app = typer.Typer(help="The secrets bundle: CAs, keys and tokens of one cluster.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """The secrets bundle: CAs, keys and tokens of one cluster."""


@app.command()
def new(spec: SpecArgument, secrets: SecretsOption = None) -> None:
    """Make the bundle, once for the cluster's life; never overwrites one."""
    from imagegen.secrets.make import make_bundle, make_joining_bundle  # noqa: PLC0415  `cryptography` is slow to import

    cluster = read_spec(spec, load_assets())
    name, pools = cluster.metadata.name, [pool.name for pool in cluster.node_pools]
    existing = cluster.control_plane.existing
    if existing is None:
        bundle = make_bundle(name, pools, cluster.kubeadm.encryption_algorithm, now())
    else:
        bundle = _joining(make_joining_bundle, name, pools, existing.ca_certificate)
    _write(secrets_path(spec, cluster, secrets), bundle)
    if existing is not None:
        say("the cluster does not know these tokens yet: `imagegen token renew` makes each pool's Secret to apply")


@app.command("import")
def import_(
    spec: SpecArgument,
    pki: Annotated[Path, typer.Option("--pki", file_okay=False, exists=True, help="A kubeadm `pki` folder.")],
    secrets: SecretsOption = None,
) -> None:
    """Make the bundle around the CAs of a cluster that kubeadm made: /etc/kubernetes/pki of a control plane."""
    from imagegen.pipeline import check_bundle  # noqa: PLC0415  the stages are slow to import
    from imagegen.secrets.importing import FILES, import_bundle  # noqa: PLC0415
    from imagegen.secrets.store import dump_bundle  # noqa: PLC0415

    cluster = read_spec(spec, load_assets())
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
    checked, report = check_bundle(cluster, dump_bundle(bundle), str(pki), now())
    if checked is None:
        show_report(report, Format.TEXT)
        raise typer.Exit(FINDINGS)
    _write(secrets_path(spec, cluster, secrets), bundle)


@app.command()
def check(spec: SpecArgument, secrets: SecretsOption = None) -> None:
    """Check the bundle: keys match certificates, nothing expired, a token for each pool, nobody else may read it."""
    cluster = read_spec(spec, load_assets())
    bundle = read_bundle(spec, cluster, secrets)
    say(f"{secrets_path(spec, cluster, secrets)}: the secrets of cluster `{bundle.cluster}` are fine")


@app.command()
def show(
    spec: SpecArgument,
    secrets: SecretsOption = None,
    form: Annotated[Format, typer.Option("--format", help="How it is written.")] = Format.TEXT,
) -> None:
    """Say what the bundle holds, without any secret: CAs, pins, ids of tokens."""
    from imagegen.secrets.summary import summarise  # noqa: PLC0415  `cryptography` is slow to import

    cluster = read_spec(spec, load_assets())
    summary = summarise(read_bundle(spec, cluster, secrets, every_pool=False))
    if form is Format.JSON:
        say(json.dumps(summary, indent=2))
        return
    rows = [(name, *validity.values()) for name, validity in summary["authorities"].items()]
    show_table(("authority", "subject", "not before", "not after"), rows)
    for pin in summary["caCertHashes"]:
        say(f"--discovery-token-ca-cert-hash {pin}")
    show_table(("pool", "token id"), list(summary["tokenIDs"].items()))


def _joining(make: Callable[[str, list[str], str], Bundle], name: str, pools: list[str], certificates: str) -> Bundle:
    try:
        return make(name, pools, certificates)
    except ValueError:
        complain("controlPlane.existing.caCertificate: not a certificate that can be read")
        raise typer.Exit(FINDINGS) from None


def _write(path: Path, bundle: Bundle) -> None:
    from imagegen.secrets.store import dump_bundle  # noqa: PLC0415  `cryptography` is slow to import

    try:
        write_new(path, dump_bundle(bundle))
    except FileExistsError:
        complain(f"{path}: there is a bundle already, and a second one would make a second cluster; move it away first")
        raise typer.Exit(FINDINGS) from None
    say(f"wrote {path} (0600): keep it out of version control, and keep a copy safe")
