"""`imagegen secrets`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imagegen.cli.common import (
    FormatOption,
    SecretsOption,
    SpecArgument,
    load_assets,
    now,
    read_bundle,
    read_spec,
    secrets_path,
    stop,
    stop_for,
)
from imagegen.console import Format, say, show_json, show_table
from imagegen.output import write_new

if TYPE_CHECKING:
    from imagegen.bundle import Bundle

app = typer.Typer(help="The secrets bundle: CAs, keys and tokens of one cluster.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """The secrets bundle: CAs, keys and tokens of one cluster."""


@app.command()
def new(spec: SpecArgument, secrets: SecretsOption = None) -> None:
    """Make the bundle, once for the cluster's life.

    A bundle that is there already is never overwritten.
    """
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
    """Make the bundle around the CAs of a cluster that is there.

    They are read from a copy of /etc/kubernetes/pki, as kubeadm made it on a control plane.
    """
    from imagegen.pipeline import check_bundle  # noqa: PLC0415  the stages are slow to import
    from imagegen.secrets.importing import FILES, import_bundle  # noqa: PLC0415
    from imagegen.secrets.store import dump_bundle  # noqa: PLC0415

    cluster = read_spec(spec, load_assets())
    missing = [name for name in FILES if not (pki / name).is_file()]
    if missing:
        stop(f"{pki}: no kubeadm pki folder: {', '.join(missing)} missing")
    try:
        content = {name: (pki / name).read_text(encoding="utf-8") for name in FILES}
        bundle = import_bundle(cluster.metadata.name, (pool.name for pool in cluster.node_pools), content)
    except ValueError:
        stop(f"{pki}: a certificate or key there is not PEM")
    checked, report = check_bundle(cluster, dump_bundle(bundle), str(pki), now())
    if checked is None:
        stop_for(report)
    _write(secrets_path(spec, cluster, secrets), bundle)


@app.command()
def check(spec: SpecArgument, secrets: SecretsOption = None, form: FormatOption = Format.TEXT) -> None:
    """Check the bundle: its keys, dates, tokens, and who may read it.

    Each key must belong to its certificate, nothing be expired, each pool have a token, and nobody else be able to read
    the file.
    """
    cluster = read_spec(spec, load_assets(), form)
    bundle = read_bundle(spec, cluster, secrets, form=form)
    path = secrets_path(spec, cluster, secrets)
    if form is Format.JSON:
        show_json({"path": str(path), "cluster": bundle.cluster, "findings": []})
    else:
        say(f"{path}: the secrets of cluster `{bundle.cluster}` are fine")


@app.command()
def show(
    spec: SpecArgument,
    secrets: SecretsOption = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Say what the bundle holds, without any secret.

    That is its CAs and until when they are good, the pins of the cluster's CA, and the ids of the tokens.
    """
    from imagegen.secrets.summary import summarise  # noqa: PLC0415  `cryptography` is slow to import

    cluster = read_spec(spec, load_assets(), form)
    summary = summarise(read_bundle(spec, cluster, secrets, every_pool=False, form=form))
    if form is Format.JSON:
        show_json(summary)
        return
    if rows := [(name, *validity.values()) for name, validity in summary["authorities"].items()]:
        show_table(("authority", "subject", "not before", "not after"), rows)
        say("")
    show_table(("pool", "token id"), list(summary["tokenIDs"].items()))
    say("")
    for pin in summary["caCertHashes"]:
        say(f"--discovery-token-ca-cert-hash {pin}")


def _joining(make: Callable[[str, list[str], str], Bundle], name: str, pools: list[str], certificates: str) -> Bundle:
    try:
        return make(name, pools, certificates)
    except ValueError:
        stop("controlPlane.existing.caCertificate: not a certificate that can be read")


def _write(path: Path, bundle: Bundle) -> None:
    from imagegen.secrets.store import dump_bundle  # noqa: PLC0415  `cryptography` is slow to import

    try:
        write_new(path, dump_bundle(bundle))
    except FileExistsError:
        stop(f"{path}: there is a bundle already, and a second one would make a second cluster; move it away first")
    say(f"wrote {path} (0600): keep it out of version control, and keep a copy safe")
