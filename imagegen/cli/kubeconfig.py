"""`imagegen kubeconfig`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from imagegen.cli.bundles import IdentityOption, SecretsOption, Sought, read_bundle
from imagegen.cli.common import FormatOption, SpecArgument, load_assets, now, read_spec, stop
from imagegen.console import Format, say, show_json
from imagegen.output import write_private


def kubeconfig(
    spec: SpecArgument,
    out: Annotated[
        Path | None, typer.Option("--out", help="File to write; default: <cluster>.kubeconfig here.")
    ] = None,
    secrets: SecretsOption = None,
    identity: IdentityOption = None,
    form: FormatOption = Format.TEXT,
) -> None:
    """Make an admin kubeconfig, good for a year.

    It comes from the secrets bundle; no machine is asked, so none need be up.
    """
    from imagegen.secrets.kubeconfig import USER, make_kubeconfig  # noqa: PLC0415  `cryptography` is slow to import

    loaded = load_assets()
    cluster = read_spec(spec, loaded, form)
    facts = loaded.catalog.kubernetes_facts(cluster.kubernetes.version)
    group = facts.admin_group if facts else "system:masters"
    bundle = read_bundle(spec, cluster, Sought(secrets, identity, form))
    path = out or Path(f"{cluster.metadata.name}.kubeconfig")
    if bundle.authorities is None:
        stop("the control plane was made elsewhere, and so was its CA's key: ask there for a kubeconfig", form)
    address = cluster.control_plane.address
    write_private(path, make_kubeconfig(bundle, address, group, now()))
    if form is Format.JSON:
        show_json({"path": str(path), "server": f"https://{address}", "user": USER, "group": group})
    else:
        say(f"wrote {path} (0600): `kubectl --kubeconfig {path} get nodes`")
