"""Finds and reads what travels with the program: schemas, templates, the Packer folder, the catalog."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from imagegen.catalog import Catalog, parse_catalog
from imagegen.catalog.firstboot import PhaseFacts
from imagegen.filetree import EXECUTABLE, PUBLIC, FileTree

_PACKAGE = Path(__file__).resolve().parent
_FIRSTBOOT = "packer/files/usr/local/lib/imagegen/firstboot/bootstrap"
_IGNORED = {"__pycache__", "README.md"}


def root() -> Path:
    """The folder that holds schemas/, templates/ and packer/: the checkout's, or the wheel's copy."""
    # An editable install leaves a copy of the assets in site-packages, as old as the install: the checkout wins.
    checkout = _PACKAGE.parent
    return checkout if (checkout / "schemas").is_dir() else _PACKAGE / "_assets"


@cache
def catalog() -> Catalog:
    """The facts."""
    return parse_catalog({path.stem: path.read_text() for path in (_PACKAGE / "catalog").glob("*.toml")})


def schema_text(name: str = "cluster-v1alpha1") -> str:
    """A JSON Schema, as it is written."""
    return (root() / "schemas" / f"{name}.schema.json").read_text()


def schema(name: str = "cluster-v1alpha1") -> dict[str, Any]:
    """A JSON Schema as data."""
    loaded: dict[str, Any] = json.loads(schema_text(name))
    return loaded


def templates() -> dict[str, str]:
    """Every template by its path below templates/, without the `.j2`."""
    found = sorted(_files(root() / "templates"))
    return {name[:-3]: content.decode() for name, content in found if name.endswith(".j2")}


def packer_folder() -> FileTree:
    """The static half of what Packer builds; scripts and programs are executable."""
    return _folder("packer")


def stock_folder() -> FileTree:
    """The programs that install a machine from a public image."""
    return _folder("stock")


def _folder(folder: str) -> FileTree:
    tree = FileTree()
    for name, content in _files(root() / folder):
        tree.add(name, content, EXECUTABLE if content.startswith(b"#!") else PUBLIC)
    return tree


def _files(base: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder that is no page about it, by its path from there."""
    for folder, folders, names in os.walk(base):
        folders[:] = (name for name in folders if name not in _IGNORED)
        prefix = folder.removeprefix(str(base)).removeprefix("/")
        for name in names:
            if name not in _IGNORED:
                yield f"{prefix}/{name}".removeprefix("/"), Path(folder, name).read_bytes()


def phases() -> tuple[PhaseFacts, ...]:
    """The phases of first boot, from the very file that the node's program takes them from."""
    return tuple(
        PhaseFacts(
            name=phase.name,
            does=phase.does,
            roles=phase.roles,
            modes=phase.modes,
            limit=phase.limit,
            at_limit=phase.at_limit,
            again=phase.again,
            hooks=phase.hooks,
            setting=phase.setting,
        )
        for phase in _of_the_node("phases")["PHASES"]
    )


def next_steps() -> dict[str, str]:
    """What to do about each reason code: the node's own words."""
    return dict(_of_the_node("reasons")["NEXT_STEPS"])


def masker() -> Callable[[str], str]:
    """What hides secrets in a text, as the node hides them."""
    hide: Callable[[str], str] = _of_the_node("masking")["Masker"]()
    return hide


def _of_the_node(name: str) -> dict[str, Any]:
    """A module of first boot that imports nothing of the program that it belongs to, as names and values."""
    from runpy import run_path  # noqa: PLC0415  few commands need it

    # To import it would leave a compiled file in a folder that goes into images.
    return run_path(str(root() / _FIRSTBOOT / f"{name}.py"))
