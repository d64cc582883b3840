"""Rules about the user's own programs on nodes."""

from __future__ import annotations

from collections.abc import Iterator

from imagegen.bundle import CONTROL_PLANE
from imagegen.catalog import Catalog
from imagegen.diagnostics import Diagnostic
from imagegen.spec import Cluster


def check_hook_roles(cluster: Cluster, _: Catalog) -> Iterator[Diagnostic]:
    """IG234: a hook for a role that there is not."""
    known = {CONTROL_PLANE, *(pool.name for pool in cluster.node_pools)}
    for stage, hooks in (("preKubeadm", cluster.hooks.pre_kubeadm), ("postKubeadm", cluster.hooks.post_kubeadm)):
        for number, hook in enumerate(hooks):
            for place, role in enumerate(hook.roles):
                if role not in known:
                    yield Diagnostic(
                        code="IG234",
                        message=f"there is no pool `{role}`",
                        hint=f"known: {', '.join(sorted(known))}",
                        path=("hooks", stage, number, "roles", place),
                    )
