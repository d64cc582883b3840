"""Runs the programs that the spec puts before and after kubeadm."""

from __future__ import annotations

from pathlib import Path

from bootstrap.boot import Boot
from bootstrap.failures import Retry
from bootstrap.phases import AFTER, BEFORE
from bootstrap.reasons import Note

HOOK_LIMIT = 1800.0


def before(boot: Boot) -> Note:
    """Whatever must be there before kubeadm is run."""
    return _run(boot, BEFORE)


def after(boot: Boot) -> Note:
    """Whatever needs the node to be part of the cluster."""
    return _run(boot, AFTER)


def _run(boot: Boot, stage: str) -> Note:
    """Each one until it has succeeded once, in the order of their names."""
    due = waiting(boot, stage)
    for hook in due:
        result = boot.tools.perform(
            str(hook), log=f"{stage}-{hook.name}", limit=HOOK_LIMIT, environment=_environment(boot)
        )
        if result.code:
            words = next((line for line in reversed(result.out.splitlines()) if line.strip()), "")
            raise Retry("hook-failed", f"{stage}/{hook.name} ended with code {result.code}: {words[:200]}")
        boot.state.mark_hook(f"{stage}/{hook.name}")
    return Note("", ", ".join(hook.name for hook in due))


def waiting(boot: Boot, stage: str) -> list[Path]:
    """The programs of a stage that have not succeeded yet, in order."""
    every = sorted((boot.paths.hooks / stage).glob("*"))
    return [hook for hook in every if f"{stage}/{hook.name}" not in boot.state.hooks]


def _environment(boot: Boot) -> dict[str, str]:
    values = {
        "IMAGEGEN_ROLE": boot.role,
        "IMAGEGEN_POOL": boot.node.pool,
        "IMAGEGEN_NODE_NAME": boot.node_name,
        "IMAGEGEN_ENDPOINT": boot.node.endpoint,
    }
    admin = {"KUBECONFIG": str(boot.paths.admin_conf)} if boot.paths.admin_conf.exists() else {}
    return {**values, **admin}
