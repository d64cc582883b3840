"""`imagegen kubeconfig`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from imagegen.cli.bundles import IdentityOption, SecretsOption, read_bundle
from imagegen.cli.common import FINDINGS, SpecArgument, load_assets, now, read_spec
from imagegen.console import complain, say
from imagegen.output import write_private


def kubeconfig(
    spec: SpecArgument,
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write; default: <cluster>.kubeconfig here.")
    ] = None,
    secrets: SecretsOption = None,
    identity: IdentityOption = None,
) -> None:
    """Make an admin kubeconfig from the secrets bundle, without asking the cluster; good for a year."""
    from imagegen.secrets.kubeconfig import make_kubeconfig  # noqa: PLC0415  `cryptography` is slow to import

    loaded = load_assets()
    cluster = read_spec(spec, loaded)
    facts = loaded.catalog.kubernetes_facts(cluster.kubernetes.version)
    group = facts.admin_group if facts else "system:masters"
    bundle = read_bundle(spec, cluster, secrets, identity)
    path = out or Path(f"{cluster.metadata.name}.kubeconfig")
    if bundle.authorities is None:
        complain("the control plane was made elsewhere, and so was its CA's key: ask there for a kubeconfig")
        raise typer.Exit(FINDINGS)
    write_private(path, make_kubeconfig(bundle, cluster.control_plane.address, group, now()))
    say(f"wrote {path}: `kubectl --kubeconfig {path} get nodes`")
