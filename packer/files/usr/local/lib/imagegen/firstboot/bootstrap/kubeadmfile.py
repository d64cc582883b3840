"""A kubeadm configuration: read, filled with what only this machine knows, written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bootstrap import yamlfile
from bootstrap.failures import Final

CRI_SOCKET = "unix:///run/containerd/containerd.sock"
ETCD_DATA = "/var/lib/etcd"
API_PORT = 6443
# The versions whose extra arguments are a map; since then they are a list of names and values.
MAP_VERSIONS = {"kubeadm.k8s.io/v1beta1", "kubeadm.k8s.io/v1beta2", "kubeadm.k8s.io/v1beta3"}
NODE_KINDS = ("InitConfiguration", "JoinConfiguration")
SECRET_KEYS = {"token", "tlsBootstrapToken", "certificateKey"}


class KubeadmFile:
    """The documents that kubeadm is given with --config."""

    def __init__(self, documents: list[dict[str, Any]]) -> None:
        self.documents = documents

    @classmethod
    def read(cls, path: Path) -> KubeadmFile:
        try:
            return cls(yamlfile.read(path))
        except FileNotFoundError as error:
            raise Final("config-missing", f"{path} is missing") from error
        except ValueError as error:
            raise Final("config-invalid", f"{path}: {error}") from error

    def kind(self, name: str) -> dict[str, Any]:
        """The document of this kind; empty where there is none."""
        return next((item for item in self.documents if item.get("kind") == name), {})

    @property
    def node_documents(self) -> list[dict[str, Any]]:
        return [item for item in map(self.kind, NODE_KINDS) if item]

    @property
    def api_version(self) -> str:
        return str(next(item.get("apiVersion", "") for item in self.node_documents))

    @property
    def joins_control_plane(self) -> bool:
        return self.kind("JoinConfiguration").get("controlPlane") is not None

    @property
    def cri_socket(self) -> str:
        return self._registration("criSocket") or CRI_SOCKET

    @property
    def node_name(self) -> str:
        return self._registration("name")

    @property
    def ignores_everything(self) -> bool:
        lists = [_section(document, "nodeRegistration", "ignorePreflightErrors") for document in self.node_documents]
        return "all" in {str(check).lower() for checks in lists for check in checks}

    @property
    def api_port(self) -> int:
        init = _section(self.kind("InitConfiguration"), "localAPIEndpoint", "bindPort")
        join = _section(self.kind("JoinConfiguration"), "controlPlane", "localAPIEndpoint", "bindPort")
        return int(init or join or API_PORT)

    @property
    def advertise_address(self) -> str:
        """Where this control plane's API server and etcd are for the others; nothing on a worker."""
        init = _section(self.kind("InitConfiguration"), "localAPIEndpoint", "advertiseAddress")
        join = _section(self.kind("JoinConfiguration"), "controlPlane", "localAPIEndpoint", "advertiseAddress")
        return str(init or join or "")

    @property
    def etcd_data(self) -> str:
        return str(_section(self.kind("ClusterConfiguration"), "etcd", "local", "dataDir") or ETCD_DATA)

    @property
    def token_id(self) -> str:
        token = _section(self.kind("JoinConfiguration"), "discovery", "bootstrapToken", "token") or ""
        return str(token).partition(".")[0]

    def secrets(self) -> set[str]:
        return {secret for document in self.documents for secret in _secrets(document)}

    def fill(self, addresses: list[str], name: str) -> None:
        """Writes this machine's name and addresses where they are left open; what is set stays."""
        for document in self.node_documents:
            registration = _open(document, "nodeRegistration")
            registration["name"] = registration.get("name") or name
            if document["kind"] == "InitConfiguration" or self.joins_control_plane:
                holder = document if document["kind"] == "InitConfiguration" else document["controlPlane"]
                endpoint = _open(holder, "localAPIEndpoint")
                endpoint["advertiseAddress"] = endpoint.get("advertiseAddress") or addresses[0]
            _set_argument(document, "node-ip", ",".join(addresses))

    def _registration(self, key: str) -> str:
        found = [_section(document, "nodeRegistration", key) for document in self.node_documents]
        return str(next((value for value in found if value), ""))


def _section(document: dict[str, Any], *path: str) -> Any:
    """What stands under this path; nothing where it, or a section on the way, is missing or null."""
    value: Any = document
    for key in path:
        value = _mapping(value, key).get(key)
    return {} if value is None else value


def _open(document: dict[str, Any], key: str) -> dict[str, Any]:
    """The section under this key, made where it is missing or null."""
    section = _mapping(document.get(key), key)
    document[key] = section
    return section


def _mapping(value: Any, key: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Final("config-invalid", f"the kubeadm configuration has something else than a section at or above {key}")
    return value


def _set_argument(document: dict[str, Any], name: str, value: str) -> None:
    registration = _open(document, "nodeRegistration")
    arguments = registration.get("kubeletExtraArgs")
    if arguments is None:
        arguments = {} if document.get("apiVersion") in MAP_VERSIONS else []
    if isinstance(arguments, dict):
        arguments.setdefault(name, value)
    elif name not in {_mapping(item, "kubeletExtraArgs").get("name") for item in arguments}:
        arguments.append({"name": name, "value": value})
    registration["kubeletExtraArgs"] = arguments


def _secrets(value: Any) -> set[str]:
    if isinstance(value, list):
        return {secret for item in value for secret in _secrets(item)}
    if not isinstance(value, dict):
        return set()
    own = {str(item) for key, item in value.items() if key in SECRET_KEYS and isinstance(item, str)}
    return own | {secret for item in value.values() for secret in _secrets(item)}
