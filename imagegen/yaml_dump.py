"""Data as YAML that a person can read: literal blocks for texts, no line folding, keys in their order."""

from __future__ import annotations

from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """Never writes anchors: nobody wants to follow them."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  PyYAML's signature
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        # PyYAML writes a list's dashes in its key's column; a step in reads better.
        super().increase_indent(flow, indentless=False)


def _represent_string(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style=style)


_Dumper.add_representer(str, _represent_string)
_Dumper.add_multi_representer(str, _represent_string)


def dump(data: Any) -> str:
    """One YAML document."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, width=1 << 20, allow_unicode=True)


def dump_all(documents: tuple[Any, ...]) -> str:
    """Several YAML documents, `---` between them."""
    return "---\n".join(dump(document) for document in documents)
