"""Commands that are imported when they are needed: a run needs one of them, `--help` all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

if TYPE_CHECKING:
    from click import Command

NAMES = (
    "init",
    "validate",
    "render",
    "lock",
    "bundle",
    "bake",
    "boot",
    "diff",
    "fingerprint",
    "stale",
    "sbom",
    "explain",
    "kubeconfig",
    "runbook",
    "inspect",
    "diagnose",
    "schema",
    "secrets",
    "token",
)


class LazyGroup(TyperGroup):
    """The commands of `NAMES`, each from the module of its name: its function of that name, or its `app`."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{**settings, "commands": {}})
        self.commands = _Commands()  # type: ignore[assignment]


class _Commands(Mapping[str, "Command"]):
    def __getitem__(self, name: str) -> Command:
        if name not in NAMES:
            raise KeyError(name)
        return _command(name)

    def __iter__(self) -> Iterator[str]:
        return iter(NAMES)

    def __len__(self) -> int:
        return len(NAMES)


@cache
def _command(name: str) -> Command:
    module = import_module(f"imagegen.cli.{name}")
    holder = typer.Typer(rich_markup_mode=None)
    holder.callback()(lambda: None)
    if group := getattr(module, "app", None):
        holder.add_typer(group, name=name)
    else:
        holder.command(name)(getattr(module, name))
    command: Command = get_group(holder).commands[name]  # type: ignore[assignment]
    return command
