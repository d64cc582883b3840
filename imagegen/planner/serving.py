"""The kubelets' serving certificates, and what the approver of control planes is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from imagegen.plan import FilePlan
from imagegen.spec import Approver, Cluster, split_endpoint

SETTINGS = "/etc/imagegen/approver.json"


def serving_config(cluster: Cluster) -> Mapping[str, Any]:
    """What KubeletConfiguration says of them; nothing where each kubelet signs its own."""
    return {"serverTLSBootstrap": True} if cluster.kubelet.serving_certificates else {}


def approver_files(cluster: Cluster) -> tuple[FilePlan, ...]:
    """What imagegen-approver.service reads on a control plane; nothing where somebody else approves."""
    given = cluster.kubelet.serving_certificates
    if given is None or given.approver is not Approver.IMAGEGEN:
        return ()
    settings = {
        "nodeCIDRs": [str(cidr) for cidr in cluster.network.node_cidrs],
        "endpoint": split_endpoint(cluster.control_plane.address)[0],
    }
    return (FilePlan(path=SETTINGS, content=json.dumps(settings, indent=1) + "\n"),)
