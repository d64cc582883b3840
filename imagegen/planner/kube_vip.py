"""kube-vip as a static pod: a virtual address on one of the control planes.

What its own generator writes for `manifest pod --controlplane --arp --leaderElection` (kube-vip's
pkg/kubevip/config_generator.go), with the times that its documentation has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imagegen.catalog import KubernetesFacts
from imagegen.plan import FilePlan, RoleKind
from imagegen.spec import Availability, Cluster, read_address, split_endpoint

_MANIFEST = "/var/lib/imagegen/manifests/kube-vip.yaml"
_KUBECONFIG = "/etc/kubernetes/admin.conf"
# How long the address may be gone, how soon its holder gives up, and how often the others look; in seconds.
_LEASE = {"vip_leaseduration": 5, "vip_renewdeadline": 3, "vip_retryperiod": 1}


def kube_vip_files(cluster: Cluster, image: str) -> tuple[FilePlan, ...]:
    """What control planes have of it, where the spec asks for it; first boot puts it where the kubelet looks."""
    if not _is_used(cluster):
        return ()
    return (FilePlan(path=_MANIFEST, content=_pod(cluster, image), mode="0600"),)


def kube_vip_init(cluster: Cluster, facts: KubernetesFacts, kind: RoleKind) -> str:
    """The kubeconfig that it has while `kubeadm init` runs, on machines that may run that."""
    return facts.init_kubeconfig if _is_used(cluster) and kind.may_initialise else ""


def _is_used(cluster: Cluster) -> bool:
    return cluster.control_plane.high_availability.type is Availability.KUBE_VIP


def _pod(cluster: Cluster, image: str) -> Mapping[str, Any]:
    """The manifest, but for the interface: only the machine knows that."""
    host, port = split_endpoint(cluster.control_plane.address)
    address = read_address(host)
    settings = {
        "vip_arp": "true",
        "port": str(port),
        "vip_subnet": str(address.max_prefixlen if address else ""),
        "cp_enable": "true",
        "cp_namespace": "kube-system",
        "vip_leaderelection": "true",
        "vip_leasename": "plndr-cp-lock",
        **{name: str(seconds) for name, seconds in _LEASE.items()},
        "address": host,
    }
    environment: list[dict[str, Any]] = [{"name": name, "value": value} for name, value in settings.items()]
    environment.append({"name": "vip_nodename", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}})
    container = {
        "name": "kube-vip",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "args": ["manager"],
        "env": environment,
        "securityContext": {"capabilities": {"add": ["NET_ADMIN", "NET_RAW"], "drop": ["ALL"]}},
        "volumeMounts": [{"name": "kubeconfig", "mountPath": _KUBECONFIG}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "kube-vip", "namespace": "kube-system"},
        "spec": {
            "containers": [container],
            "hostNetwork": True,
            # It asks the API server beside it, by this name.
            "hostAliases": [{"ip": "127.0.0.1", "hostnames": ["kubernetes"]}],
            "priorityClassName": "system-node-critical",
            # `File`: without it a folder is made where kubeadm has not written the file yet.
            "volumes": [{"name": "kubeconfig", "hostPath": {"path": _KUBECONFIG, "type": "File"}}],
        },
    }
