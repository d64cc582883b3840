"""`imagegen token`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imagegen.bundle import CONTROL_PLANE
from imagegen.cli.bundles import IdentityOption, SecretsOption, checked, read_bundle, secrets_path, write_changed
from imagegen.cli.common import FINDINGS, SpecArgument, load_assets, now, read_spec
from imagegen.cli.render import OutOption, render_into
from imagegen.console import complain, say
from imagegen.output import write_private

if TYPE_CHECKING:
    from imagegen.spec import Cluster

app = typer.Typer(help="Bootstrap tokens of a cluster that is there already.", no_args_is_help=True)

PoolOption = Annotated[str, typer.Option("--pool", help=f"The pool; `{CONTROL_PLANE}` for control planes.")]


@app.callback()
def _group() -> None:
    """Bootstrap tokens of a cluster that is there already."""


@app.command()
def rotate(
    spec: SpecArgument,
    pool: PoolOption,
    out: OutOption = Path("out"),
    secrets: SecretsOption = None,
    identity: IdentityOption = None,
) -> None:
    """Give a pool a new token: in the bundle, in its user-data, and as a Secret to apply."""
    from imagegen.secrets.make import new_token  # noqa: PLC0415  `cryptography` is slow to import
    from imagegen.secrets.tokens import with_token  # noqa: PLC0415

    loaded = load_assets()
    cluster = read_spec(spec, loaded)
    _require_pool(cluster, pool)
    bundle = read_bundle(spec, cluster, secrets, identity, every_pool=False)
    old = bundle.tokens.get(pool, "").partition(".")[0]
    path = secrets_path(spec, cluster, secrets)
    bundle = checked(cluster, write_changed(path, with_token(bundle, pool, new_token())), path)
    render_into(out, cluster, bundle, loaded)
    _write_manifest(cluster, pool, bundle.tokens[pool], out)
    if old:
        say(f"then retire the old one: kubectl -n kube-system delete secret bootstrap-token-{old}")


@app.command()
def renew(
    spec: SpecArgument,
    pool: PoolOption,
    out: OutOption = Path("out"),
    secrets: SecretsOption = None,
    identity: IdentityOption = None,
) -> None:
    """Make a pool's token good again: the same token, so that launch templates that hold it work once more."""
    cluster = read_spec(spec, load_assets())
    _require_pool(cluster, pool)
    _write_manifest(cluster, pool, read_bundle(spec, cluster, secrets, identity).tokens[pool], out)


def _require_pool(cluster: Cluster, pool: str) -> None:
    known = [CONTROL_PLANE, *(each.name for each in cluster.node_pools)]
    if pool not in known:
        complain(f"there is no pool `{pool}`; known: {', '.join(known)}")
        raise typer.Exit(FINDINGS)


def _write_manifest(cluster: Cluster, pool: str, token: str, out: Path) -> None:
    from imagegen.secrets.tokens import token_manifest  # noqa: PLC0415  `cryptography` is slow to import

    folder = out / cluster.metadata.name / "tokens"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{pool}.yaml"
    write_private(path, token_manifest(pool, token, cluster.bootstrap.token_ttl, now()))
    say(f"wrote {path} (0600); tell the cluster: kubectl apply -f {path}")
