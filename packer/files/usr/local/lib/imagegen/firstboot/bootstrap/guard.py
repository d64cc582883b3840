"""Keeps the first node from starting a second cluster on the same CA."""

from __future__ import annotations

from bootstrap import etcd, probe
from bootstrap.boot import Boot
from bootstrap.failures import Final, NotYet
from bootstrap.phases import INIT_MODE, JOIN_MODE
from bootstrap.reasons import Note

PROBES = 3
PAUSE = 2.0
# What counts as nobody being there. A name that does not resolve says nothing of who is there.
SILENCE = {"closed", "refused", "timeout", "unreachable"}


def guard(boot: Boot) -> Note:
    """Decides between init and join."""
    mode, note = _decide(boot)
    if boot.state.mode != mode:
        boot.state.choose(mode)
    return note


def _decide(boot: Boot) -> tuple[str, Note]:
    # Once the cluster has been seen, silence means that it is down, not that it never was.
    if boot.state.mode == JOIN_MODE:
        return JOIN_MODE, Note("cluster-found", "this machine has begun to join the cluster that runs already")
    silence = _listen(boot)
    boot.alone = bool(silence)
    # Behind the answer: after a power cut the kubelet starts what an init has left, and that may have answered.
    if etcd.has_member(boot):
        return INIT_MODE, Note("etcd-data", "this disk holds etcd data: the init is resumed")
    if not silence:
        return JOIN_MODE, Note("cluster-found", f"our cluster answers at {boot.node.endpoint}: joining it")
    return INIT_MODE, Note("nothing-answers", f"nobody at {boot.node.endpoint} ({silence}): this node is the first")


def _listen(boot: Boot) -> str:
    """Nothing if our cluster answers, else why it does not; anything doubtful is waited out."""
    authority = boot.paths.staged_pki / "ca.crt"
    if not authority.exists():
        raise Final("pki-missing", f"{authority} is missing")
    silence = ""
    for count in range(PROBES):
        boot.clock.sleep(PAUSE if count else 0)
        silence = probe.shake_hands(boot.node.host, boot.node.port, authority)
        # Where the endpoint is an address of this machine for good, its own kernel has the last word.
        own = boot.node.host in boot.own_addresses and not boot.node.keepalived
        if silence not in SILENCE or (silence == "refused" and own):
            break
    if silence and silence not in SILENCE:
        raise NotYet(silence, f"{boot.node.endpoint} is not certainly free ({silence}): no cluster is started yet")
    return silence
