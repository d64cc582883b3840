"""An admin kubeconfig made without the cluster."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime

from imagegen import yaml_dump
from imagegen.bundle import Bundle
from imagegen.secrets.keys import new_client

USER = "kubernetes-admin"


def make_kubeconfig(bundle: Bundle, endpoint: str, group: str, now: datetime, *, server_name: str = "") -> str:
    """A kubeconfig with a client certificate of its own, good for a year; `ValueError` without authorities.

    `group` is what the cluster's version binds to cluster-admin: `kubeadm:cluster-admins` from 1.29, which
    `kubeadm init` binds; `system:masters` before. `server_name` is what the API server's certificate is for, where
    that is not the endpoint's host.
    """
    if bundle.authorities is None:
        raise ValueError("the bundle has no CA key")
    cluster = bundle.cluster
    client = new_client(bundle.authorities.cluster_ca, USER, group, now)
    context = f"{USER}@{cluster}"
    data = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": cluster,
                "cluster": {
                    "server": f"https://{endpoint}",
                    "certificate-authority-data": _base64(bundle.ca_certificates),
                    **({"tls-server-name": server_name} if server_name else {}),
                },
            }
        ],
        "users": [
            {
                "name": USER,
                "user": {
                    "client-certificate-data": _base64(client.public),
                    "client-key-data": _base64(client.private),
                },
            }
        ],
        "contexts": [{"name": context, "context": {"cluster": cluster, "user": USER}}],
        "current-context": context,
    }
    return yaml_dump.dump(data)


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()
