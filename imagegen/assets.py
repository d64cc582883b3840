"""Finds and reads what travels with the program: schemas, templates, the Packer folder, the catalog."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from imagegen.catalog import Catalog, parse_catalog
from imagegen.filetree import EXECUTABLE, PUBLIC, FileTree

_PACKAGE = Path(__file__).resolve().parent
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
    base = root() / "templates"
    return {path.relative_to(base).as_posix()[:-3]: path.read_text() for path in sorted(base.rglob("*.j2"))}


def packer_folder() -> FileTree:
    """The static half of what Packer builds; scripts and programs are executable."""
    base = root() / "packer"
    tree = FileTree()
    for path in sorted(base.rglob("*")):
        parts = path.relative_to(base).parts
        if path.is_file() and not _IGNORED.intersection(parts):
            content = path.read_bytes()
            tree.add("/".join(parts), content, EXECUTABLE if content.startswith(b"#!") else PUBLIC)
    return tree
