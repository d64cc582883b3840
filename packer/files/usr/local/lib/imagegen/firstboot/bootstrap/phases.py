"""The phases of first boot, in order, as data.

imagegen's command line reads this file as well, to say what a node will do: it imports nothing of this program.
"""

from __future__ import annotations

from dataclasses import dataclass

INIT, JOIN, WORKER = "control-plane-init", "control-plane-join", "worker"
# User-data that every control plane is given alike: `settle` makes one of the first two of it.
SHARED = "control-plane"
ROLES = frozenset({INIT, JOIN, WORKER})
FIRST = frozenset({INIT})
CONTROL_PLANES = frozenset({INIT, JOIN})

# Whether a machine starts the cluster or joins it; open on the first node until the guard has looked.
INIT_MODE, JOIN_MODE = "init", "join"
ANY_MODE = frozenset({INIT_MODE, JOIN_MODE, ""})

# Up to when a phase is run: on every boot, until the node is marked done, until kubeadm has succeeded.
ALWAYS, UNTIL_DONE, UNTIL_JOINED = "always", "done", "joined"
# What happens when the limit of a wait is over.
RETRY, GO_ON = "retry", "go on"
SETTLE = "settle"
# The stages of hooks, and the names of their folders and phases.
BEFORE, AFTER = "pre-kubeadm", "post-kubeadm"
# Settings of node.json that some phases are for.
HAIRPIN = "hairpin"
KUBE_VIP = "kubeVip"
KEEPALIVED = "keepalived"


@dataclass(frozen=True)
class Phase:
    """A step of first boot; after a failed try the boot goes back to the phase `again`, or to this one.

    One of `hooks` is only for machines that have a hook of that stage, one of a `setting` for those that are told so.
    """

    name: str
    does: str
    roles: frozenset[str] = ROLES
    modes: frozenset[str] = ANY_MODE
    until: str = UNTIL_JOINED
    limit: float | None = None
    at_limit: str = RETRY
    again: str = ""
    hooks: str = ""
    setting: str = ""


PHASES = (
    Phase(
        "wipe",
        "takes our secrets out of cloud-init's copies; once the node is done, removes what was staged",
        until=ALWAYS,
    ),
    Phase("contract", "stops for good unless `node.json` and `image.json` name the same contract", until=UNTIL_DONE),
    Phase("runtime", "waits until `ctr version` answers at the configuration's `criSocket`", limit=120),
    Phase("clock", "waits until it is later than `notBefore`, and than the image's birth", limit=300, at_limit=GO_ON),
    Phase(
        "settle",
        "waits for an address on `nodeCIDRs`; finds the name, and the role if it is open; writes what kubeadm is given",
        limit=300,
    ),
    Phase(
        "balancer",
        "leaves the endpoint to the load balancer, unless this machine's own API server is ready",
        roles=CONTROL_PLANES,
        setting=HAIRPIN,
    ),
    Phase(
        "keepalived",
        "starts haproxy and keepalived, by which the control planes keep the endpoint among themselves",
        roles=CONTROL_PLANES,
        setting=KEEPALIVED,
    ),
    Phase(BEFORE, "runs the spec's hooks that come before kubeadm", hooks=BEFORE),
    Phase("guard", "asks at the endpoint, and decides between starting the cluster and joining it", roles=FIRST),
    Phase(
        "endpoint",
        "waits until the endpoint's `cluster-info` can be read and is signed for this node's token",
        modes=frozenset({JOIN_MODE}),
    ),
    Phase(
        "turn",
        "waits for its place among the control planes: up to 25 s, 5 s apart, and only before the first try",
        roles=CONTROL_PLANES,
        modes=frozenset({JOIN_MODE}),
    ),
    Phase(
        "etcd-member",
        "takes a dead member of this machine's name or address out of etcd; waits while another member is joining",
        roles=CONTROL_PLANES,
        modes=frozenset({JOIN_MODE}),
        limit=120,
        at_limit=GO_ON,
    ),
    Phase(
        "kubeadm-init",
        "runs the whole `kubeadm init`, ended after 30 minutes",
        roles=FIRST,
        modes=frozenset({INIT_MODE}),
        again=SETTLE,
    ),
    Phase(
        "kubeadm-join",
        "runs the whole `kubeadm join`, ended after 30 minutes",
        modes=frozenset({JOIN_MODE}),
        again=SETTLE,
    ),
    Phase(
        "hairpin",
        "answers the endpoint on this machine from now on, past a load balancer that loses its packets to itself",
        roles=CONTROL_PLANES,
        until=UNTIL_DONE,
        setting=HAIRPIN,
    ),
    Phase(
        "kube-vip",
        "gives kube-vip `admin.conf` in the place of what it had while the cluster was started",
        roles=FIRST,
        modes=frozenset({INIT_MODE}),
        until=UNTIL_DONE,
        setting=KUBE_VIP,
    ),
    Phase(
        "cni",
        "applies the image's CNI manifest with the cluster's pod network in it",
        roles=FIRST,
        modes=frozenset({INIT_MODE}),
        until=UNTIL_DONE,
    ),
    Phase(
        "admin",
        "gives the spec's admin user, if there is one, a kubeconfig and kubectl's completion for bash",
        roles=CONTROL_PLANES,
        until=UNTIL_DONE,
    ),
    Phase(AFTER, "runs the spec's hooks that come after kubeadm", until=UNTIL_DONE, hooks=AFTER),
    Phase("done", "writes the marker, then wipes", until=UNTIL_DONE),
)
