"""A passing identity in the cluster, for what has to be asked before the join.

kubeadm makes it out of the staged CAs, without asking anybody: it is the one program on every node that can sign
certificates. `kubeadm join` makes the same two a minute later (kubeadm's phases `certs etcd-healthcheck-client` and
`kubeconfig admin`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bootstrap import files, leftovers, yamlfile
from bootstrap.boot import Boot
from bootstrap.failures import NotYet

NEEDED = ("ca.crt", "ca.key", "etcd/ca.crt", "etcd/ca.key")


class Credentials(NamedTuple):
    """A kubeconfig of the cluster's admins, and what etcd lets a client in with."""

    kubeconfig: Path
    authority: Path
    certificate: Path
    key: Path


@contextmanager
def borrow(boot: Boot) -> Iterator[Credentials]:
    """The credentials, gone again when they have been used."""
    folder = boot.paths.work / "asking"
    # What a power cut has left may be of another address.
    files.remove(folder)
    files.private_folder(folder)
    try:
        yield _make(boot, folder)
    finally:
        files.remove(folder)


def _make(boot: Boot, folder: Path) -> Credentials:
    leftovers.require_pki(boot)
    pki = folder / "pki"
    for name in NEEDED:
        files.write(pki / name, (boot.paths.staged_pki / name).read_bytes(), 0o600, durable=False)
    config = folder / "kubeadm.yaml"
    yamlfile.write(config, _documents(boot, pki), 0o600)
    told = ("--config", str(config))
    _run(boot, "certs", "etcd-healthcheck-client", *told)
    _run(boot, "kubeconfig", "admin", "--kubeconfig-dir", str(folder), *told)
    client = pki / "etcd" / "healthcheck-client"
    return Credentials(
        folder / "admin.conf", pki / "etcd" / "ca.crt", client.with_suffix(".crt"), client.with_suffix(".key")
    )


def _documents(boot: Boot, pki: Path) -> list[dict[str, Any]]:
    config = boot.config
    init = {
        "localAPIEndpoint": {"advertiseAddress": config.advertise_address},
        "nodeRegistration": {"name": boot.node_name, "criSocket": config.cri_socket},
    }
    # Without a version kubeadm would look for the newest one on the internet.
    cluster = {
        "kubernetesVersion": f"v{boot.identity.kubernetes}",
        "controlPlaneEndpoint": boot.node.endpoint,
        "certificatesDir": str(pki),
    }
    bodies: dict[str, dict[str, Any]] = {"InitConfiguration": init, "ClusterConfiguration": cluster}
    return [{"apiVersion": config.api_version, "kind": kind, **body} for kind, body in bodies.items()]


def _run(boot: Boot, *phase: str) -> None:
    answer = boot.tools.ask("kubeadm", "init", "phase", *phase)
    if answer.code:
        words = boot.mask(answer.err.strip()[-200:])
        raise NotYet("etcd-silent", f"kubeadm makes no credentials to ask etcd with: {words}")
