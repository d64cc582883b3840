"""`imagegen secrets`."""

from __future__ import annotations

import typer

from imagegen.cli.common import (
    FINDINGS,
    SecretsOption,
    SpecArgument,
    load_assets,
    now,
    read_spec,
    secrets_path,
)
from imagegen.console import complain, say
from imagegen.output import write_new

app = typer.Typer(help="The secrets bundle: CAs, keys and tokens of one cluster.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """The secrets bundle: CAs, keys and tokens of one cluster."""


@app.command()
def new(
    spec: SpecArgument,
    secrets: SecretsOption = None,
) -> None:
    """Make the bundle, once for the cluster's life; never overwrites one."""
    # `cryptography` is slow to import.
    from imagegen.secrets.make import make_bundle  # noqa: PLC0415
    from imagegen.secrets.store import dump_bundle  # noqa: PLC0415

    cluster = read_spec(spec, load_assets())
    path = secrets_path(spec, cluster, secrets)
    pools = (pool.name for pool in cluster.node_pools)
    bundle = make_bundle(cluster.metadata.name, pools, cluster.kubeadm.encryption_algorithm, now())
    try:
        write_new(path, dump_bundle(bundle))
    except FileExistsError:
        complain(f"{path}: there is a bundle already, and a second one would make a second cluster; move it away first")
        raise typer.Exit(FINDINGS) from None
    say(f"wrote {path} (0600): keep it out of version control, and keep a copy safe")
