"""Secrets leave the disk as soon as nothing needs them; on every boot, for cloud-init writes its copies anew."""

from __future__ import annotations

from pathlib import Path

from bootstrap import files
from bootstrap.boot import JOIN_CONFIG, MAIN_CONFIG, Boot
from bootstrap.clock import timestamp
from bootstrap.cloudcopies import wipe_instance
from bootstrap.reasons import Note

STAGED = ("pki", "manifests", "work", MAIN_CONFIG, JOIN_CONFIG)


def wipe(boot: Boot) -> Note:
    """Cleans cloud-init's copies, and once the node is done what was staged for it."""
    left = [trouble for folder in sorted(boot.paths.instances.glob("*")) for trouble in wipe_instance(folder)]
    if boot.paths.done.exists():
        left += _wipe_staged(boot)
    return Note("wipe-incomplete", ", ".join(left)) if left else Note()


def done(boot: Boot) -> Note:
    """The marker comes first: if the power fails in between, the next boot wipes."""
    marker = {"role": boot.role, "at": timestamp(boot.clock.now())}
    files.write_json(boot.paths.done, marker, 0o644)
    return wipe(boot)


def _wipe_staged(boot: Boot) -> list[str]:
    paths = [boot.paths.home / name for name in STAGED]
    # kubeadm removes it, unless it was cut off; it holds the token.
    paths += [boot.paths.bootstrap_kubelet_conf] if boot.paths.kubelet_conf.exists() else []
    return [trouble for path in paths for trouble in _remove(path)]


def _remove(path: Path) -> list[str]:
    try:
        files.remove(path)
    except OSError as error:
        return [f"{path}: {error.strerror}"]
    return []
