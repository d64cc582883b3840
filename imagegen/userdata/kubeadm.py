"""kubeadm configuration: built as v1beta4, and turned into v1beta3 for the minors that read that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from imagegen.plan import ComponentPlan, RoleKind, RolePlan

CRI_SOCKET = "unix:///run/containerd/containerd.sock"

# Nodes boot at the same moment, some of them slowly: kubeadm's own five and four minutes are short for that.
_PATIENCE = "10m0s"
_TIMEOUTS = dict.fromkeys(
    ("controlPlaneComponentHealthCheck", "discovery", "kubeletHealthCheck", "tlsBootstrap"), _PATIENCE
)

Document = dict[str, Any]


def init_documents(role: RolePlan) -> tuple[Document, ...]:
    """What `kubeadm init` reads: Init-, Cluster-, KubeProxy- and KubeletConfiguration."""
    plan = role.kubeadm
    init: Document = {
        "apiVersion": plan.api_version,
        "kind": "InitConfiguration",
        "bootstrapTokens": [
            {"token": token.token, "ttl": token.ttl, "description": token.description} for token in role.init_tokens
        ],
        "nodeRegistration": _node_registration(role),
        **_patches(role),
        "timeouts": dict(_TIMEOUTS),
    }
    own = _in_dialect(plan.api_version, init, _cluster_configuration(role))
    return *own, _kube_proxy_configuration(role), *_kubelet_configuration(role)


def join_documents(role: RolePlan) -> tuple[Document, ...]:
    """What `kubeadm join` reads: JoinConfiguration."""
    plan = role.kubeadm
    join: Document = {
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
        **_patches(role),
        "timeouts": dict(_TIMEOUTS),
    }
    if role.kind is not RoleKind.WORKER:
        join["controlPlane"] = {}
    return _in_dialect(plan.api_version, join)


def _patches(role: RolePlan) -> Document:
    folder = role.kubeadm.patches_folder
    return {"patches": {"directory": folder}} if folder else {}


def _node_registration(role: RolePlan) -> Document:
    registration: Document = {"criSocket": CRI_SOCKET}
    if role.ignore_preflight_errors:
        registration["ignorePreflightErrors"] = list(role.ignore_preflight_errors)
    arguments = dict(role.kubeadm.kubelet_args)
    if role.labels:
        arguments["node-labels"] = ",".join(f"{key}={value}" for key, value in role.labels.items())
    if arguments:
        registration["kubeletExtraArgs"] = _arguments(arguments)
    # An empty list is another thing than none: without the key kubeadm taints control planes itself.
    if role.taints is not None:
        registration["taints"] = [dict(taint) for taint in role.taints]
    return registration


def _cluster_configuration(role: RolePlan) -> Document:
    plan = role.kubeadm
    configuration: Document = {
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
    for name, component in plan.components.items():
        body = _component(component)
        configuration[name] = {"local": body} if name == "etcd" else body
    if plan.cert_sans:
        configuration.setdefault("apiServer", {})["certSANs"] = list(plan.cert_sans)
    return configuration


def _component(plan: ComponentPlan) -> Document:
    body: Document = {"extraArgs": _arguments(plan.extra_args)}
    volumes = [
        {"name": name, "hostPath": path, "mountPath": path, "readOnly": True, "pathType": "File"}
        for name, path in plan.read_only_files.items()
    ]
    volumes += [
        {"name": name, "hostPath": path, "mountPath": path, "pathType": "DirectoryOrCreate"}
        for name, path in plan.writable_folders.items()
    ]
    return body | ({"extraVolumes": volumes} if volumes else {})


def _arguments(arguments: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in arguments.items()]


def _kube_proxy_configuration(role: RolePlan) -> Document:
    header = {"apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration"}
    return header | dict(role.kubeadm.kube_proxy)


def _kubelet_configuration(role: RolePlan) -> tuple[Document, ...]:
    if not role.kubeadm.kubelet:
        return ()
    header = {"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration"}
    return (header | dict(role.kubeadm.kubelet),)


def _in_dialect(api_version: str, *documents: Document) -> tuple[Document, ...]:
    speak = _DIALECTS[api_version]
    return tuple(speak(document) for document in documents)


def _as_v1beta3(document: Document) -> Document:
    """Flags are maps there, waits stand elsewhere, and ECDSA keys are a feature gate (kubeadm's v1beta4 notes)."""
    older: Document = _with_maps(document)
    if older.pop("timeouts", None) and older["kind"] == "JoinConfiguration":
        older["discovery"]["timeout"] = _PATIENCE
    if older["kind"] == "ClusterConfiguration":
        older.setdefault("apiServer", {})["timeoutForControlPlane"] = _PATIENCE
        if older.pop("encryptionAlgorithm").startswith("ECDSA"):
            older["featureGates"] = {"PublicKeysECDSA": True}
    return older


def _with_maps(value: Any) -> Any:
    if isinstance(value, list):
        return [_with_maps(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: {item["name"]: item["value"] for item in inner} if key in _ARGUMENTS else _with_maps(inner)
        for key, inner in value.items()
    }


_ARGUMENTS = ("extraArgs", "kubeletExtraArgs")
_DIALECTS: Mapping[str, Callable[[Document], Document]] = {
    "kubeadm.k8s.io/v1beta3": _as_v1beta3,
    "kubeadm.k8s.io/v1beta4": lambda document: document,
}
