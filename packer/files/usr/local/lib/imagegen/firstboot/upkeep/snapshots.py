"""Keeps snapshots of etcd on a control plane: each whole, checked, and the newest ones alone.

etcd appends the SHA-256 of what it has sent (server/etcdserver/api/v3rpc/maintenance.go); `etcdutl snapshot restore`
wants it there, so that it stays in the file.
"""

from __future__ import annotations

import errno
import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from bootstrap import files, yamlfile
from bootstrap.clock import Clock, timestamp
from bootstrap.credentials import Credentials
from bootstrap.etcdclient import EtcdClient, EtcdError
from bootstrap.paths import Paths

from upkeep.telling import FAILED, Telling, Trouble

ADVERTISED = "kubeadm.kubernetes.io/etcd.advertise-client-urls"
SETTINGS = "/etc/imagegen/etcd-snapshots.json"
SUFFIX, UNFINISHED = ".db", ".new"
# bbolt writes whole pages, each a multiple of this.
PAGE = 512
# The timer looks every ten minutes, spread by some: one that is nearly due is due.
SLACK = 450.0


def run(paths: Paths, clock: Clock, *, now: bool) -> int:
    """Takes a snapshot if one is due, or `now`; the exit code is for systemd."""
    telling = Telling(paths, clock, "etcd-snapshot")
    try:
        _Shelf(paths, clock).fill(telling, now=now)
    except Trouble as trouble:
        telling.trouble(trouble)
        return 1
    except Exception as error:
        telling.trouble(Trouble(FAILED, "internal-error", f"{type(error).__name__}: {error}"))
        raise
    return 0


class _Shelf:
    """The folder with this machine's snapshots."""

    def __init__(self, paths: Paths, clock: Clock) -> None:
        self._paths, self._clock = paths, clock
        settings = files.read_json(paths.at(SETTINGS))
        self._folder = paths.at(settings["directory"])
        self._seconds, self._keep = float(settings["seconds"]), int(settings["keep"])
        self._start = f"etcd-{paths.hostname.read_text().strip()}-"

    def fill(self, telling: Telling, *, now: bool) -> None:
        kept = self._kept()
        # A clock that has been put back must not stop them.
        if not now and kept and 0 <= self._clock.now() - kept[-1].stat().st_mtime < self._seconds - SLACK:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        target = self._folder / f"{self._start}{timestamp(self._clock.now()).replace(':', '').replace('-', '')}{SUFFIX}"
        digest = self._save(target)
        kept = self._kept()
        for path in kept[: -self._keep]:
            path.unlink()
        facts: dict[str, Any] = {"file": str(target), "bytes": target.stat().st_size, "sha256": digest}
        telling.quietly(f"{target}, {facts['bytes']} bytes, one of {min(len(kept), self._keep)}", **facts)

    def _kept(self) -> list[Path]:
        """The snapshots, oldest first."""
        return sorted(self._folder.glob(f"{self._start}*{SUFFIX}"), key=lambda path: path.name)

    def _save(self, target: Path) -> str:
        fresh = target.with_name(target.name + UNFINISHED)
        for left in self._folder.glob(f"{self._start}*{UNFINISHED}"):
            left.unlink()
        try:
            digest = self._receive(fresh)
            fresh.replace(target)
        except EtcdError as error:
            raise Trouble(FAILED, "snapshot-refused", f"etcd gives no snapshot: {error}") from error
        except OSError as error:
            if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
                raise
            raise Trouble(FAILED, "disk-full", f"{fresh}: {error.strerror}") from error
        finally:
            with suppress(FileNotFoundError):
                fresh.unlink()
        return digest

    def _receive(self, fresh: Path) -> str:
        """Writes what etcd sends; the last 32 bytes are held back, until it is known which are the last."""
        sha256, size, last = hashlib.sha256(), 0, b""
        length = sha256.digest_size
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            for piece in EtcdClient(self._url(), self._credentials()).snapshot():
                file.write(piece)
                last += piece
                sha256.update(last[:-length])
                size, last = size + len(piece), last[-length:]
            if size <= length or (size - length) % PAGE or sha256.digest() != last:
                raise Trouble(FAILED, "snapshot-broken", f"{size} bytes came, and their SHA-256 is another")
            file.flush()
            os.fsync(file.fileno())
        return sha256.hexdigest()

    def _url(self) -> str:
        (pod,) = yamlfile.read(self._paths.kubernetes / "manifests" / "etcd.yaml")
        return str(pod["metadata"]["annotations"][ADVERTISED]).partition(",")[0]

    def _credentials(self) -> Credentials:
        pki = self._paths.kubernetes / "pki"
        client = pki / "apiserver-etcd-client"
        pair = client.with_suffix(".crt"), client.with_suffix(".key")
        return Credentials(self._paths.admin_conf, pki / "etcd" / "ca.crt", *pair)
