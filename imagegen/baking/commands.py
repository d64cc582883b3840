"""The commands of a bake, in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

INIT_SINCE = (1, 7)
"""The first Packer with `packer init`, and with the plugins block that it reads (its changelog)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bake:
    """What is baked, and how: `builders` by the names of their sources, such as `qemu`."""

    packer: str
    version: tuple[int, ...]
    builders: tuple[str, ...]
    variables: Mapping[str, str]


def commands_of(bake: Bake) -> tuple[tuple[str, ...], ...]:
    """`packer init` where there is one, `validate`, `build`; each is run inside the folder."""
    chosen = tuple(f"-only=imagegen.{builder}.node" for builder in bake.builders)
    given = tuple(word for name, value in bake.variables.items() for word in ("-var", f"{name}={value}"))
    init = ((bake.packer, "init", "."),) if bake.version >= INIT_SINCE else ()
    return (
        *init,
        (bake.packer, "validate", *chosen, *given, "."),
        # Never -machine-readable: it prints sensitive variables as they are.
        (bake.packer, "build", "-color=false", "-timestamp-ui", *chosen, *given, "."),
    )
