"""`imagegen secrets trust`, `distrust` and `replace-ca`: the bundle's part in the replacement of a cluster's CA."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imagegen.cli.bundles import IdentityOption, SecretsOption, Sought, read_bundle, secrets_path, write_changed
from imagegen.cli.common import SpecArgument, load_assets, now, read_spec, stop, text_of
from imagegen.console import say

if TYPE_CHECKING:
    from imagegen.bundle import Bundle

_Change = Callable[["Bundle"], "Bundle"]


def trust(
    spec: SpecArgument,
    certificates: Annotated[
        Path, typer.Option("--ca", exists=True, dir_okay=False, help="One or more CA certificates, PEM.")
    ],
    secrets: SecretsOption = None,
    identity: IdentityOption = None,
) -> None:
    """Let nodes trust a further cluster CA.

    That is the next one, before it signs anything: docs/ca-rotation.md has all the steps.
    """
    from imagegen.secrets.trust import with_trusted  # noqa: PLC0415  `cryptography` is slow to import

    text = text_of(certificates)
    _change(spec, secrets, identity, lambda bundle: with_trusted(bundle, text), str(certificates))


def replace_ca(
    spec: SpecArgument,
    pki: Annotated[
        Path, typer.Option("--pki", file_okay=False, exists=True, help="The folder of the new `ca.crt` and `ca.key`.")
    ],
    secrets: SecretsOption = None,
    identity: IdentityOption = None,
) -> None:
    """Let another cluster CA sign from now on.

    Nodes still trust the one before.
    """
    from imagegen.bundle import Authority  # noqa: PLC0415  with what follows
    from imagegen.secrets.trust import with_cluster_ca  # noqa: PLC0415  `cryptography` is slow to import

    missing = [name for name in ("ca.crt", "ca.key") if not (pki / name).is_file()]
    if missing:
        stop(f"{pki}: {' and '.join(missing)} missing: `kubeadm init phase certs ca --cert-dir DIR` makes both")
    certificate, key = (text_of(pki / name) for name in ("ca.crt", "ca.key"))
    authority = Authority(certificate=certificate, key=key)
    _change(spec, secrets, identity, lambda bundle: with_cluster_ca(bundle, authority, now()), str(pki))


def distrust(
    spec: SpecArgument,
    pin: Annotated[str, typer.Option("--ca-cert-hash", help="sha256:…, as `secrets show` names it.")],
    secrets: SecretsOption = None,
    identity: IdentityOption = None,
) -> None:
    """Let nodes no longer trust a CA beside the one that signs.

    That is the one before, once nothing that it signed is left.
    """
    from imagegen.secrets.trust import without_trusted  # noqa: PLC0415  `cryptography` is slow to import

    _change(spec, secrets, identity, lambda bundle: without_trusted(bundle, pin), "--ca-cert-hash")


def _change(spec: Path, secrets: Path | None, identity: Path | None, change: _Change, source: str) -> None:
    cluster = read_spec(spec, load_assets())
    bundle = read_bundle(spec, cluster, Sought(secrets, identity), every_pool=False)
    try:
        changed = change(bundle)
    except ValueError as error:
        stop(f"{source}: {error}")
    path = secrets_path(spec, cluster, secrets)
    write_changed(path, changed)
    signing, *further = changed.ca_hashes
    say(f"{path}: the cluster CA that signs has the hash {signing}")
    for pin in further:
        say(f"trusted beside it: {pin}")
    say("`imagegen render` writes user-data that says so; docs/ca-rotation.md has what the running cluster needs")
