"""The words by which kubeadm and etcd say that etcd takes no further member just now.

etcd: api/v3rpc/rpctypes/error.go, the same in 3.6.8 and 3.7.0. kubeadm: cmd/kubeadm/app/phases/etcd/local.go and
cmd/kubeadm/app/util/etcd/etcd.go, the same in 1.36.3 and 1.37.2. What has other words elsewhere keeps the usual pace.
"""

from __future__ import annotations

LEARNER, UNHEALTHY = "etcd-learner", "etcd-unhealthy"
MEANINGS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        LEARNER,
        (
            "etcdserver: too many learner members in cluster",
            # Also "... which is in sync with leader".
            "etcdserver: can only promote a learner member",
        ),
    ),
    (
        UNHEALTHY,
        (
            "etcd cluster is not healthy",
            "etcdserver: unhealthy cluster",
            "etcdserver: re-configuration failed due to not enough started members",
            "etcdserver: request timed out",
            "etcdserver: leader changed",
            "etcdserver: no leader",
            "could not retrieve the list of etcd endpoints",
            "error syncing endpoints with etcd",
            "timeout waiting for etcd cluster to be available",
        ),
    ),
)


def reason_in(words: str) -> str:
    """The code for what these words of kubeadm say of etcd; nothing if they do not speak of it."""
    return next((reason for reason, texts in MEANINGS if any(text in words for text in texts)), "")
