"""What keeps pods from the metadata service."""

from __future__ import annotations

from imagegen.plan import FilePlan
from imagegen.spec import Cluster, ControlPlane, MetadataAccess, NodePool

SETTINGS = "/etc/imagegen/metadata.env"


def metadata_files(cluster: Cluster, group: ControlPlane | NodePool) -> tuple[FilePlan, ...]:
    """What imagegen-metadata.service reads on a machine whose pods are to be kept away; nothing on others."""
    if group.metadata_access is not MetadataAccess.HOST:
        return ()
    addresses = " ".join(map(str, cluster.provider.metadata_options.addresses))
    return (FilePlan(path=SETTINGS, content=f"ADDRESSES={addresses}\n"),)
