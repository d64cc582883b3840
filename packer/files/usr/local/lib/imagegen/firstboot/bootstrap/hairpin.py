"""Answers the cluster's endpoint on a control plane itself, where the load balancer loses its packets to itself.

An address goes onto `lo`, where the pods of this machine find it as well. A name gets a line in /etc/hosts: the
addresses behind it may change, and whoever asks by it (kubelet, kube-proxy, kubeadm) has the host's network.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bootstrap import files, probe
from bootstrap.boot import Boot
from bootstrap.failures import Retry
from bootstrap.reasons import Note

UNIT = "imagegen-hairpin.service"
MARK = "# imagegen: this control plane is behind that name itself"
POLL = 1.0


def give_back(boot: Boot) -> Note:
    """Leaves the endpoint to the load balancer, unless this machine's own API server is ready."""
    if not _is_ready(boot):
        _release(boot)
        return Note()
    hold(boot)
    return Note("", "this machine's own API server is ready: it stays at the endpoint")


def take(boot: Boot) -> Note:
    """Answers at the endpoint from now on."""
    hold(boot)
    return Note("", f"{boot.node.endpoint} is this machine's own API server")


def hold(boot: Boot) -> None:
    """Makes the endpoint this machine's own, on every later boot as well; once more does no harm."""
    if not boot.node.hairpin:
        return
    prefixed = _prefixed(boot.node.host)
    if not prefixed:
        _write_hosts(boot, [f"127.0.0.1 {boot.node.host} {MARK}"])
        return
    settings = f"ENDPOINT={prefixed}\n"
    if not boot.paths.hairpin.exists() or boot.paths.hairpin.read_text() != settings:
        _release(boot)
        files.write(boot.paths.hairpin, settings.encode(), 0o644)
    answer = boot.tools.ask("systemctl", "start", UNIT)
    if answer.code:
        raise Retry("hairpin-failed", f"systemctl start {UNIT}: {answer.err.strip()}")


@contextmanager
def held_when_ready(boot: Boot) -> Iterator[None]:
    """Beside `kubeadm join`: its last steps go to the endpoint, behind which this machine is by then."""
    if not boot.node.hairpin:
        yield
        return
    over = threading.Event()
    watch = threading.Thread(target=_watch, args=(boot, over), daemon=True)
    watch.start()
    try:
        yield
    finally:
        over.set()
        watch.join()


def _watch(boot: Boot, over: threading.Event) -> None:
    while not over.wait(POLL):
        if not _is_ready(boot):
            continue
        try:
            hold(boot)
        except (Retry, OSError):
            # The phase behind the join does it again, and says what is wrong.
            continue
        return


def _is_ready(boot: Boot) -> bool:
    return probe.is_ready(boot.config.advertise_address, boot.config.api_port)


def _release(boot: Boot) -> None:
    _write_hosts(boot, [])
    if boot.paths.hairpin.exists():
        # Before the file goes: the unit reads the address from it.
        answer = boot.tools.ask("systemctl", "stop", UNIT)
        if answer.code:
            raise Retry("hairpin-failed", f"systemctl stop {UNIT}: {answer.err.strip()}")
        boot.paths.hairpin.unlink()


def _write_hosts(boot: Boot, ours: list[str]) -> None:
    old = boot.paths.hosts.read_text().splitlines()
    new = [line for line in old if not line.endswith(MARK)] + ours
    if new != old:
        files.write(boot.paths.hosts, "".join(f"{line}\n" for line in new).encode(), 0o644)


def _prefixed(host: str) -> str:
    """The address as that of a single host; nothing where it is a name."""
    try:
        return str(ipaddress.ip_interface(host))
    except ValueError:
        return ""
