"""What control planes need while the cluster's CA is replaced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from imagegen import yaml_dump
from imagegen.bundle import Bundle
from imagegen.plan import FilePlan
from imagegen.spec import Cluster

_CERTIFICATE = "/etc/kubernetes/signing-ca.crt"
_FLAG = "cluster-signing-cert-file"
_VOLUME = "signing-ca"
# A spec's own patches have no dash in their suffix: the names never meet.
_PATCH = "kube-controller-manager-signing-ca+json.yaml"


def needs_signing_file(cluster: Cluster, bundle: Bundle) -> bool:
    """Whether `ca.crt` holds several certificates.

    kube-controller-manager ends where the file that it signs by holds more than one, and kubeadm gives it `ca.crt`
    (https://github.com/kubernetes/kubeadm/issues/1350).
    """
    return bool(bundle.trusted_cas) and _FLAG not in cluster.kubeadm.controller_manager.extra_args


def signing_files(certificate: str, folder: str) -> Iterator[FilePlan]:
    """The CA that signs in a file of its own, and the patch in kubeadm's folder that points there.

    A patch, not ClusterConfiguration: that one is the running cluster's, and a joining node cannot change it.
    """
    yield FilePlan(path=_CERTIFICATE, content=certificate)
    mount = {"name": _VOLUME, "mountPath": _CERTIFICATE, "readOnly": True}
    volume = {"name": _VOLUME, "hostPath": {"path": _CERTIFICATE, "type": "File"}}
    patch = [
        # Of a flag that stands twice, the last one counts.
        _add("/spec/containers/0/command/-", f"--{_FLAG}={_CERTIFICATE}"),
        _add("/spec/containers/0/volumeMounts/-", mount),
        _add("/spec/volumes/-", volume),
    ]
    yield FilePlan(path=f"{folder}/{_PATCH}", content=yaml_dump.dump(patch))


def _add(path: str, value: Any) -> dict[str, Any]:
    return {"op": "add", "path": path, "value": value}
