"""Starts haproxy and keepalived, by which the control planes keep the cluster's endpoint among themselves."""

from __future__ import annotations

from bootstrap import files
from bootstrap.boot import Boot
from bootstrap.failures import Retry
from bootstrap.reasons import Note

UNITS = ("haproxy.service", "keepalived.service")
# User-data brought the rest, which includes this.
MACHINE = """\
interface {link}
unicast_src_ip {own}
"""
PEERS = """\
unicast_peer {{
    {peers}
}}
"""


def start(boot: Boot) -> Note:
    """From now on, and on every later boot: the endpoint's address is on one of the control planes that run."""
    is_new = _write(boot)
    # The image has them masked: they do nothing on machines that are told nothing of it.
    _systemctl("unmask", boot)
    _systemctl("enable", boot)
    _systemctl("restart" if is_new else "start", boot)
    return Note("", f"haproxy listens on port {boot.node.port}; keepalived looks after {boot.node.host}")


def _write(boot: Boot) -> bool:
    """Tells keepalived where this machine is and where the others are; whether it had not been told so before."""
    own = [address for address in boot.own_addresses if address in boot.node.keepalived]
    if not own:
        planes = ", ".join(boot.node.keepalived)
        raise Retry("keepalived-failed", f"this machine has none of the control planes' addresses ({planes})")
    others = [address for address in boot.node.keepalived if address != own[0]]
    text = MACHINE.format(link=boot.link, own=own[0])
    if others:
        text += PEERS.format(peers="\n    ".join(others))
    if boot.paths.keepalived.exists() and boot.paths.keepalived.read_text() == text:
        return False
    files.write(boot.paths.keepalived, text.encode(), 0o644)
    return True


def _systemctl(verb: str, boot: Boot) -> None:
    answer = boot.tools.ask("systemctl", verb, *UNITS)
    if answer.code:
        raise Retry("keepalived-failed", f"systemctl {verb}: {answer.err.strip()}")
