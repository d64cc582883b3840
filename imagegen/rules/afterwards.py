"""Rules about what nodes do for themselves when they are up."""

from __future__ import annotations

from collections.abc import Iterator

from imagegen.catalog import Catalog
from imagegen.diagnostics import Diagnostic
from imagegen.spec import Cluster

# Whose folders they are. kubeadm starts etcd on an empty one only, `kubeadm reset` empties the next two, and the last
# do not outlive a reboot.
_TAKEN = {
    "/var/lib/etcd": "etcd's own",
    "/etc/kubernetes": "kubeadm's",
    "/var/lib/kubelet": "the kubelet's",
    "/var/lib/imagegen": "first boot's",
    "/run": "memory",
    "/tmp": "emptied by a reboot",  # noqa: S108  a name in a spec
}


def check_snapshots(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG287: snapshots of etcd in a folder that is something else's."""
    snapshots = cluster.control_plane.etcd_snapshots
    if snapshots is None:
        return
    for folder, owner in _TAKEN.items():
        if f"{snapshots.directory}/".startswith(f"{folder}/"):
            yield Diagnostic(
                code="IG287",
                message=f"{snapshots.directory} is no place for snapshots of etcd: {folder} is {owner}",
                hint="leave `directory` out: /var/lib/etcd-snapshots",
                path=("controlPlane", "etcdSnapshots", "directory"),
            )
