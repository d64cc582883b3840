"""`imagegen token`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imagegen.bundle import CONTROL_PLANE
from imagegen.cli.bundles import (
    IdentityOption,
    SecretsOption,
    Sought,
    checked,
    read_bundle,
    secrets_path,
    write_changed,
)
from imagegen.cli.common import FormatOption, OutOption, SpecArgument, load_assets, now, read_spec, stop
from imagegen.cli.completion import complete_pools
from imagegen.cli.writing import render_into
from imagegen.cli.written import show_written, written_as_data
from imagegen.console import Format, say, show_json
from imagegen.output import write_private

if TYPE_CHECKING:
    from imagegen.spec import Cluster

app = typer.Typer(help="Bootstrap tokens of a cluster that is there already.", no_args_is_help=True)

PoolOption = Annotated[
    str,
    typer.Option("--pool", help=f"The pool; `{CONTROL_PLANE}` for control planes.", autocompletion=complete_pools),
]


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
    form: FormatOption = Format.TEXT,
) -> None:
    """Give a pool a new token.

    It is new in the bundle, in the user-data of the pool, and as a Secret for the cluster to apply.
    """
    from imagegen.secrets.make import new_token  # noqa: PLC0415  `cryptography` is slow to import
    from imagegen.secrets.tokens import with_token  # noqa: PLC0415

    loaded = load_assets()
    cluster = read_spec(spec, loaded, form)
    _require_pool(cluster, pool, form)
    bundle = read_bundle(spec, cluster, Sought(secrets, identity, form), every_pool=False)
    old = bundle.tokens.get(pool, "").partition(".")[0]
    where = secrets_path(spec, cluster, secrets)
    bundle = checked(cluster, write_changed(where, with_token(bundle, pool, new_token()), form), where, form=form)
    written = render_into(out, cluster, bundle, loaded, form)
    path = _write_manifest(cluster, pool, bundle.tokens[pool], out)
    if form is Format.JSON:
        token = _as_data(pool, bundle.tokens[pool], path) | {"retire": f"bootstrap-token-{old}" if old else None}
        show_json({"token": token, "render": written_as_data(written)})
        return
    show_written(written)
    _say_written(path)
    if old:
        say(f"then retire the old one: kubectl -n kube-system delete secret bootstrap-token-{old}")


@app.command()
def renew(
    spec: SpecArgument,
    pool: PoolOption,
    out: OutOption = Path("out"),
    secrets: SecretsOption = None,
    identity: IdentityOption = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Make the token of a pool good again.

    The token stays the same, so that launch templates that hold it work once more.
    """
    cluster = read_spec(spec, load_assets(), form)
    _require_pool(cluster, pool, form)
    token = read_bundle(spec, cluster, Sought(secrets, identity, form)).tokens[pool]
    path = _write_manifest(cluster, pool, token, out)
    if form is Format.JSON:
        show_json({"token": _as_data(pool, token, path)})
    else:
        _say_written(path)


def _require_pool(cluster: Cluster, pool: str, form: Format) -> None:
    known = [CONTROL_PLANE, *(each.name for each in cluster.node_pools)]
    if pool not in known:
        stop(f"there is no pool `{pool}`; known: {', '.join(known)}", form)


def _write_manifest(cluster: Cluster, pool: str, token: str, out: Path) -> Path:
    from imagegen.secrets.tokens import token_manifest  # noqa: PLC0415  `cryptography` is slow to import

    folder = out / cluster.metadata.name / "tokens"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{pool}.yaml"
    write_private(path, token_manifest(pool, token, cluster.bootstrap.token_ttl, now()))
    return path


def _as_data(pool: str, token: str, path: Path) -> dict[str, str | None]:
    return {"pool": pool, "id": token.partition(".")[0], "secret": str(path)}


def _say_written(path: Path) -> None:
    say(f"wrote {path} (0600); tell the cluster: kubectl apply -f {path}")
