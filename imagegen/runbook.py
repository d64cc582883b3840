"""The cluster's own pages for its operator: what to run for each of the usual tasks.

A block of commands is fenced as `sh id=<name> on=<operator|node>`, and is run by a test of ours. In each page the block
`settings` comes first; the other blocks use what it sets.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_interface
from shlex import quote

from imagegen import templating
from imagegen.bundle import CONTROL_PLANE
from imagegen.filetree import FileTree
from imagegen.frozen import dataclass
from imagegen.plan import ClusterPlan, ImagePlan, RoleKind, RolePlan

FOLDER = "runbook"
"""The pages' folder in the cluster's output folder."""
PAGES = (
    "README",
    "check",
    "add-a-node",
    "remove-a-node",
    "tokens",
    "certificates",
    "replace-a-control-plane",
    "restore",
    "upgrade",
)
# A control plane that was made elsewhere is looked after there.
_OF_CONTROL_PLANES = {"certificates", "replace-a-control-plane", "restore"}
_ETCDCTL = """\
etcdctl() {
  kubectl -n kube-system exec "etcd-$PLANE" -- etcdctl --cacert /etc/kubernetes/pki/etcd/ca.crt \\
    --cert /etc/kubernetes/pki/etcd/server.crt --key /etc/kubernetes/pki/etcd/server.key "$@"
}"""
_OWN_API = """\
# This machine's own API server: at the endpoint another may answer.
PORT=$(sed -n 's/.*--secure-port=//p' /etc/kubernetes/manifests/kube-apiserver.yaml)
until kubectl --kubeconfig /etc/kubernetes/admin.conf --server "https://127.0.0.1:$PORT" --tls-server-name kubernetes \\
  get --raw=/readyz; do sleep 2; done"""
_WHAT = {
    RoleKind.CONTROL_PLANE_INIT: "the first control plane",
    RoleKind.CONTROL_PLANE_JOIN: "every further control plane",
    RoleKind.CONTROL_PLANE: "every control plane",
    RoleKind.WORKER: "workers of the pool `{pool}`",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the operator's commands name: the spec, the folder above the cluster's, the bundle if it lies elsewhere.

    `opened`: the plan was made with the real bundle, so that its tokens are those of the cluster.
    """

    spec: str
    out: str
    secrets: str | None
    opened: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Machines:
    """Those of one role, as the pages name them: its image, and `token_id`, the public half of its token."""

    pool: str
    what: str
    starts: bool
    image: str
    user_data: str
    token_id: str
    nodes: tuple[str, ...]


def page_paths(*, existing: bool) -> tuple[str, ...]:
    """The files of a runbook; fewer where the control plane is `existing`, made elsewhere."""
    return tuple(f"{page}.md" for page in PAGES if not (existing and page in _OF_CONTROL_PLANES))


def render_runbook(plan: ClusterPlan, templates: Mapping[str, str], desk: Desk) -> FileTree:
    """Every page, as Markdown."""
    planes = [role for role in plan.roles if role.kind is not RoleKind.WORKER]
    values = {**_values(plan, desk), **_commands(plan, desk)}
    tree = FileTree()
    for path in page_paths(existing=not planes):
        tree.add(path, templating.render(templates[f"{FOLDER}/{path}"], values))
    return tree


def _values(plan: ClusterPlan, desk: Desk) -> dict[str, object]:
    roles = [_machines(plan, role, desk) for role in plan.roles]
    planes = [role for role in roles if role.pool == CONTROL_PLANE]
    pools = [role for role in roles if role.pool != CONTROL_PLANE]
    return {
        "name": plan.name,
        "version": plan.kubernetes_version,
        "endpoint": plan.endpoint,
        "existing": not planes,
        "roles": roles,
        "pools": pools,
        # Its last role joins, whether the first one does something else or is the same.
        "plane": planes[-1] if planes else None,
        "tokens": [*planes[-1:], *pools],
        "opened": desk.opened,
        "nodes": [node.name for node in plan.nodes],
        "planes": [name for role in planes for name in role.nodes],
        "members": _members(plan, planes),
        "workers": [name for role in pools for name in role.nodes],
        "flannel": any(role.cni == "flannel" for role in plan.roles),
        "admin": next((role.admin.user for role in plan.roles if role.admin), ""),
        "keepalived": any(role.keepalived for role in plan.roles),
        "stock": [image.name for image in plan.images if image.stock],
        "bakes": any(not image.stock for image in plan.images),
        "bundled": any(
            image.supply.is_offline and not image.supply.bundle_url for image in plan.images if not image.stock
        ),
    }


def _members(plan: ClusterPlan, planes: list[_Machines]) -> str:
    """Those of etcd, as it is told of them; nothing where no address is known."""
    names = {name for role in planes for name in role.nodes}
    hosts = {node.name: ip_interface(node.address).ip for node in plan.nodes if node.name in names}
    return ",".join(
        f"{name}=https://{f'[{ip}]' if isinstance(ip, IPv6Address) else ip}:2380" for name, ip in hosts.items()
    )


def _machines(plan: ClusterPlan, role: RolePlan, desk: Desk) -> _Machines:
    return _Machines(
        pool=role.pool,
        what=_WHAT[role.kind].format(pool=role.pool),
        starts=role.kind is RoleKind.CONTROL_PLANE_INIT,
        image=_image(next(image for image in plan.images if image.name == role.image)),
        user_data=f"user-data/{role.name}.yaml",
        token_id=f"`{role.join_token.partition('.')[0]}`" if desk.opened else "not read",
        nodes=tuple(node.name for node in plan.nodes if node.role == role.name),
    )


def _image(image: ImagePlan) -> str:
    return f"the public one of {image.os}" if image.stock else f"`{image.name}`"


def _commands(plan: ClusterPlan, desk: Desk) -> dict[str, str]:
    """What stands in blocks of commands, as a shell takes it."""
    patches = next((role.kubeadm.patches_folder for role in plan.roles if role.kubeadm.patches_folder), None)
    planes = (role for role in plan.roles if role.kind is not RoleKind.WORKER)
    ignored = ",".join(next((role.ignore_preflight_errors for role in planes), ()))
    return {
        "spec": quote(desk.spec),
        "out": quote(desk.out),
        "folder": quote(f"{desk.out}/{plan.name}"),
        "kubeconfig": quote(f"{plan.name}.kubeconfig"),
        "secrets": f" --secrets {quote(desk.secrets)}" if desk.secrets else "",
        "patches": f" --patches {quote(patches)}" if patches else "",
        "ignored": f" --ignore-preflight-errors {quote(ignored)}" if ignored else "",
        "etcdctl": _ETCDCTL,
        "own_api": _OWN_API,
    }
