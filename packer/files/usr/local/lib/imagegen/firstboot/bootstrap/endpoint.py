"""Waits until the cluster can be joined."""

from __future__ import annotations

import json

from bootstrap import probe
from bootstrap.boot import Boot
from bootstrap.failures import NotYet
from bootstrap.reasons import Note


def endpoint(boot: Boot) -> Note:
    """cluster-info can be read, and is signed for our token."""
    where = boot.node.endpoint
    published = _published(probe.cluster_info(boot.node.host, boot.node.port), where)
    token = boot.config.token_id
    # A machine that was cut off after it got its certificate needs no token any more.
    if token and not boot.paths.kubelet_conf.exists() and f"jws-kubeconfig-{token}" not in published:
        raise NotYet("token-not-signed", f"cluster-info at {where} is not signed for the bootstrap token of this node")
    return Note()


def _published(body: bytes, where: str) -> dict[str, str]:
    try:
        data = json.loads(body)["data"]
    except (ValueError, KeyError, TypeError) as error:
        raise NotYet("not-cluster-info", f"{where} answers with something else than cluster-info") from error
    return data if isinstance(data, dict) else {}
