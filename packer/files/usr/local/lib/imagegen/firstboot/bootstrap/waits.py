"""The waits for what the machine itself brings: its identity, its runtime, a credible clock."""

from __future__ import annotations

from contextlib import suppress

from bootstrap import files
from bootstrap.boot import MAIN_CONFIG, Boot
from bootstrap.clock import timestamp
from bootstrap.failures import NotYet
from bootstrap.identity import read_identity
from bootstrap.kubeadmfile import KubeadmFile
from bootstrap.reasons import Note


def contract(boot: Boot) -> Note:
    """The image and the user-data must speak the same contract."""
    boot.identity = read_identity(boot.paths.image, boot.paths.node)
    boot.report_identity()
    _received(boot)
    return Note()


def _received(boot: Boot) -> None:
    """Once all that cloud-init has written is on the disk, imagegen-anew.service need not have it written again."""
    if boot.paths.received.exists():
        return
    boot.to_disk()
    # On a full disk it is written again, which does no harm.
    with suppress(OSError):
        files.write(boot.paths.received, b"", 0o644)


def runtime(boot: Boot) -> Note:
    """The container runtime answers at the socket that kubeadm will use."""
    socket = KubeadmFile.read(boot.paths.home / MAIN_CONFIG).cri_socket
    answer = boot.tools.ask("ctr", "--address", socket.partition("://")[2] or socket, "version")
    if answer.code:
        raise NotYet("runtime-silent", f"the runtime does not answer at {socket}: {answer.err.strip()[-200:]}")
    return Note()


def clock(boot: Boot) -> Note:
    """Certificates are of no use to a machine that lives in their past."""
    floor = max(boot.node.not_before, boot.identity.built_at)
    now = boot.clock.now()
    if now < floor:
        raise NotYet("clock-behind", f"the clock says {timestamp(now)}, which is before {timestamp(floor)}")
    return Note()
