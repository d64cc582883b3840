"""What a control plane is to be whose user-data is that of all control planes."""

from __future__ import annotations

from bootstrap.addresses import plain
from bootstrap.boot import Boot
from bootstrap.phases import INIT, JOIN, SHARED


def decide(boot: Boot, own: set[str]) -> str:
    """Assigns the role by the machine's own name and addresses, and gives the words for it; others have theirs.

    What has been begun is gone on with, whatever the machine is called by now: each way leaves data of its own behind.
    """
    if boot.node.role != SHARED:
        return ""
    role = INIT if {plain(item) for item in own} & {plain(item) for item in boot.node.first} else JOIN
    begun = bool(boot.state.mode or boot.state.total_tries)
    if not begun and boot.state.role != role:
        boot.state.assign(role)
        boot.report_identity()
    first = " or ".join(sorted(boot.node.first))
    return "; the first control plane" if boot.role == INIT else f"; joins the first control plane, {first}"
