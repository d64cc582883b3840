"""YAML documents, read and written as data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from bootstrap import files


class _Loader(yaml.SafeLoader):
    """Leaves times as text: PyYAML would write them back in a form that Kubernetes does not read."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def parse(text: str) -> list[dict[str, Any]]:
    """The mappings of a stream of documents; ValueError where it holds anything else."""
    try:
        documents = [item for item in yaml.load_all(text, _Loader) if item is not None]
    except yaml.YAMLError as error:
        raise ValueError(_without_excerpt(error)) from error
    if not all(isinstance(item, dict) for item in documents):
        raise ValueError("a document is not a mapping")
    return documents


def dump(documents: list[dict[str, Any]]) -> str:
    """The stream again, keys in their old order."""
    return yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True, width=1000)


def read(path: Path) -> list[dict[str, Any]]:
    """The documents of a file."""
    return parse(path.read_text())


def write(path: Path, documents: list[dict[str, Any]], mode: int) -> None:
    """Replaces a file by these documents."""
    files.write(path, dump(documents).encode(), mode)


def _without_excerpt(error: yaml.YAMLError) -> str:
    # The full text of the error shows the line, which may hold a token.
    mark = getattr(error, "problem_mark", None)
    place = f" in line {mark.line + 1}" if mark is not None else ""
    return f"not YAML{place}"
