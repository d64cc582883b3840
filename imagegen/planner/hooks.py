"""The user's own programs, as files whose names keep their order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from imagegen.plan import FilePlan
from imagegen.spec import Cluster, Hook

_FOLDER = "/etc/imagegen/hooks"
_PRIVATE_PROGRAM = "0700"


class _Program(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def script(self) -> str: ...


def numbered(hooks: Sequence[_Program]) -> Mapping[str, str]:
    """Programs by the names of their files: the order of the names is the order of the list."""
    return {f"{number:02}-{hook.name}": hook.script for number, hook in enumerate(hooks, start=1)}


def plan_hooks(cluster: Cluster, scope: str) -> Iterator[FilePlan]:
    """The programs that a node of this pool, or a control plane, runs at first boot."""
    stages = {"pre-kubeadm": cluster.hooks.pre_kubeadm, "post-kubeadm": cluster.hooks.post_kubeadm}
    for stage, hooks in stages.items():
        for name, script in numbered([hook for hook in hooks if _is_for(hook, scope)]).items():
            yield FilePlan(path=f"{_FOLDER}/{stage}/{name}", content=script, mode=_PRIVATE_PROGRAM)


def _is_for(hook: Hook, scope: str) -> bool:
    return not hook.roles or scope in hook.roles
