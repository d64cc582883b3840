"""Data as YAML that a person can read: literal blocks for texts, no line folding, keys in their order."""

from __future__ import annotations

import re
from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """Never writes anchors: nobody wants to follow them."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  PyYAML's signature
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        # PyYAML writes a list's dashes in its key's column; a step in reads better.
        super().increase_indent(flow, indentless=False)


# YAML 1.1 ends a line at these as well: outside double quotes they would come back as `\n`.
_ODD_LINE_ENDS = "\u0085\u2028\u2029"

# PyYAML quotes what it would not read as text itself; Go's YAML reads more as numbers and truth values (1e3, 0o17, y).
_NO_TEXT_ELSEWHERE = re.compile(r"[-+]?([0-9_]*\.?[0-9_]*(e[-+]?[0-9_]+)?|0[box][0-9a-f_]+)|[yn]", re.IGNORECASE)


def _represent_string(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style=_style(text))


def _style(text: str) -> str | None:
    if any(end in text for end in _ODD_LINE_ENDS):
        return '"'
    if "\n" in text:
        return "|"
    return "'" if _NO_TEXT_ELSEWHERE.fullmatch(text) else None


_Dumper.add_representer(str, _represent_string)
_Dumper.add_multi_representer(str, _represent_string)


def dump(data: Any) -> str:
    """One YAML document."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, width=1 << 20, allow_unicode=True)


def dump_all(documents: tuple[Any, ...]) -> str:
    """Several YAML documents, `---` between them."""
    return "---\n".join(dump(document) for document in documents)
