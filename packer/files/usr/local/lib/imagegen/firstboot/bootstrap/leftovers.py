"""Brings the disk into the state in which kubeadm can be run (again)."""

from __future__ import annotations

from pathlib import Path

from bootstrap import etcd, files
from bootstrap.boot import Boot
from bootstrap.failures import Final, Retry
from bootstrap.phases import INIT_MODE

RESET_LIMIT = 300.0
PKI = (
    "ca.crt",
    "ca.key",
    "front-proxy-ca.crt",
    "front-proxy-ca.key",
    "sa.pub",
    "sa.key",
    "etcd/ca.crt",
    "etcd/ca.key",
)
MODES = {".key": 0o600}
PUBLIC = 0o644
_PAIR = (".crt", ".key")
# What kubeadm writes below its folder; the spec's files may lie there as well.
_OF_KUBEADM = ("*.conf", "manifests/*", "pki/**/*")


def clear(boot: Boot) -> bool:
    """Undoes an earlier try; true where etcd's data forbids that and the earlier try must be resumed."""
    if boot.state.total_tries or _member(boot):
        # Stopped before the look, so that no etcd starts between the look and the reset. On a resumed join
        # it also lets the node become NotReady: kubeadm refuses to join as a node that is Ready.
        boot.tools.ask("systemctl", "stop", "kubelet")
    # A joining member is told by its leader who votes. Where a cluster answers, it is not this machine's to start.
    stillborn = etcd.stillborn(boot) if boot.mode == INIT_MODE and boot.alone else []
    if _member(boot) and not stillborn:
        _remove_empty(boot)
        return True
    if boot.state.total_tries:
        _reset(boot)
    # A reset finds them by a manifest, which may be lost.
    for member in stillborn:
        files.remove(member)
    return False


def restore(boot: Boot) -> None:
    """Puts the staged files where kubeadm looks for them. A worker has none: kubeadm refuses a CA there."""
    if not boot.node.control_plane:
        return
    require_pki(boot)
    files.private_folder(boot.paths.staged_pki)
    for name in PKI:
        _copy(boot.paths.staged_pki / name, boot.paths.kubernetes / "pki" / name)
    for manifest in sorted(boot.paths.staged_manifests.glob("*.yaml")):
        _copy(manifest, boot.paths.kubernetes / "manifests" / manifest.name)


def require_pki(boot: Boot) -> None:
    """Without all of the staged keys nothing can be done as a control plane."""
    missing = [name for name in PKI if not (boot.paths.staged_pki / name).is_file()]
    if missing:
        raise Final("pki-missing", f"{boot.paths.staged_pki} lacks {', '.join(missing)}")


def _member(boot: Boot) -> bool:
    return boot.node.control_plane and etcd.has_member(boot)


def _remove_empty(boot: Boot) -> None:
    """A power cut may leave what kubeadm wrote last, but empty: it takes no such file, and makes a missing one.

    Nor does it take a certificate without its key, or a key without its certificate. The kubelet is like that with
    those that it makes for itself.
    """
    theirs = (path for pattern in _OF_KUBEADM for path in boot.paths.kubernetes.glob(pattern))
    for path in (*theirs, *(boot.paths.kubelet / "pki").glob("*")):
        if path.is_file() and not path.stat().st_size:
            for half in (path, *(path.with_suffix(suffix) for suffix in _PAIR if path.suffix in _PAIR)):
                files.remove(half)


def _reset(boot: Boot) -> None:
    command = ("kubeadm", "reset", "--force", "--cri-socket", boot.config.cri_socket)
    result = boot.tools.perform(*command, log="kubeadm-reset", limit=RESET_LIMIT)
    if result.code:
        raise Retry("reset-failed", f"kubeadm reset ended with code {result.code}")


def _copy(source: Path, target: Path) -> None:
    files.write(target, source.read_bytes(), MODES.get(source.suffix, PUBLIC))
