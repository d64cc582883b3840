"""Every reason that upkeep can give, with what to do about it."""

from __future__ import annotations

_LATER = "Nothing: it is looked at again by the next run."

NEXT_STEPS: dict[str, str] = {
    "api-server-not-ready": "Look at `journalctl -u kubelet` and at the API server's log in /var/log/pods; the next "
    "run restarts it again.",
    "ca-ends": "Replace the CA before it ends: docs/ca-rotation.md. No certificate outlives the CA that signed it.",
    "ca-external": "Sign new certificates where the CA's key is, and put them in place: Kubernetes' page `Certificate "
    "Management with kubeadm` says how. Then restart the control plane's static pods.",
    "ca-rotation": "Finish the replacement of the CA (docs/ca-rotation.md), or renew by hand: "
    "`kubeadm certs renew all`.",
    "certificate-invalid": "Look at the file that the message names: `kubeadm certs check-expiration`.",
    "disk-full": "Make room on the disk, keep fewer snapshots, or put them elsewhere; it is tried again.",
    "internal-error": "It is tried again by the next run. If it stays, it is a bug: see the journal of the unit.",
    "not-our-turn": _LATER,
    "others-not-ready": "Look at the control planes whose API server is not ready: while one is down, no other is "
    "restarted.",
    "pod-not-restarted": "Look at `journalctl -u kubelet`; the next run restarts it again.",
    "renewal-failed": "Look at /var/log/imagegen/renewal.log, and at `kubeadm certs check-expiration`; it is tried "
    "again.",
    "snapshot-broken": "Look at etcd's log: what it sent was cut off, or changed on the way. It is tried again.",
    "snapshot-refused": "Look whether etcd runs on this machine, and at its log; it is tried again.",
}
