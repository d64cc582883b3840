"""kubeadm configuration, v1beta4."""

from __future__ import annotations

from typing import Any

from imagegen.plan import RoleKind, RolePlan

CRI_SOCKET = "unix:///run/containerd/containerd.sock"

# Nodes boot at the same moment, some of them slowly: kubeadm's own five and four minutes are short for that.
_TIMEOUTS = {
    "controlPlaneComponentHealthCheck": "10m0s",
    "discovery": "10m0s",
    "kubeletHealthCheck": "10m0s",
    "tlsBootstrap": "10m0s",
}


def init_documents(role: RolePlan) -> tuple[dict[str, Any], ...]:
    """What `kubeadm init` reads: Init-, Cluster-, KubeProxy- and KubeletConfiguration."""
    plan = role.kubeadm
    init = {
        "apiVersion": plan.api_version,
        "kind": "InitConfiguration",
        "bootstrapTokens": [
            {"token": token.token, "ttl": token.ttl, "description": token.description} for token in role.init_tokens
        ],
        "nodeRegistration": _node_registration(role),
        "timeouts": dict(_TIMEOUTS),
    }
    return init, _cluster_configuration(role), _kube_proxy_configuration(role), *_kubelet_configuration(role)


def join_documents(role: RolePlan) -> tuple[dict[str, Any], ...]:
    """What `kubeadm join` reads: JoinConfiguration."""
    plan = role.kubeadm
    join: dict[str, Any] = {
        "apiVersion": plan.api_version,
        "kind": "JoinConfiguration",
        "discovery": {
            "bootstrapToken": {
                "apiServerEndpoint": plan.endpoint,
                "token": role.join_token,
                "caCertHashes": list(plan.ca_hashes),
            }
        },
        "nodeRegistration": _node_registration(role),
        "timeouts": dict(_TIMEOUTS),
    }
    if role.kind is not RoleKind.WORKER:
        join["controlPlane"] = {}
    return (join,)


def _node_registration(role: RolePlan) -> dict[str, Any]:
    registration: dict[str, Any] = {"criSocket": CRI_SOCKET}
    if role.kubeadm.ignore_preflight_errors:
        registration["ignorePreflightErrors"] = list(role.kubeadm.ignore_preflight_errors)
    if role.labels:
        labels = ",".join(f"{key}={value}" for key, value in role.labels.items())
        registration["kubeletExtraArgs"] = [{"name": "node-labels", "value": labels}]
    if role.taints:
        registration["taints"] = [dict(taint) for taint in role.taints]
    return registration


def _cluster_configuration(role: RolePlan) -> dict[str, Any]:
    plan = role.kubeadm
    configuration: dict[str, Any] = {
        "apiVersion": plan.api_version,
        "kind": "ClusterConfiguration",
        "clusterName": role.cluster,
        "kubernetesVersion": f"v{plan.kubernetes_version}",
        "controlPlaneEndpoint": plan.endpoint,
        "imageRepository": plan.image_repository,
        "encryptionAlgorithm": plan.encryption_algorithm,
        "networking": {
            "podSubnet": plan.pod_cidr,
            "serviceSubnet": plan.service_cidr,
            "dnsDomain": plan.dns_domain,
        },
    }
    if plan.cert_sans:
        configuration["apiServer"] = {"certSANs": list(plan.cert_sans)}
    return configuration


def _kube_proxy_configuration(role: RolePlan) -> dict[str, Any]:
    header = {"apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration"}
    return header | dict(role.kubeadm.kube_proxy)


def _kubelet_configuration(role: RolePlan) -> tuple[dict[str, Any], ...]:
    if not role.kubeadm.kubelet:
        return ()
    header = {"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration"}
    return (header | dict(role.kubeadm.kubelet),)
