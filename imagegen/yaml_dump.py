"""Data as YAML that a person can read: literal blocks for texts, no line folding, keys in their order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import yaml

# A text whose literal block needs neither hints nor care: printable ASCII, no blanks at the ends of lines, one break
# at the end or none.
_PLAIN_BLOCK = re.compile(r"[!-~](?:[ -~]*[!-~])?(?:\n+[ -~]*[!-~])*\n?")
# A line that YAML can take for nothing else. It has none of YAML's marks, and is longer than its words for truth and
# null; or it is a path; or it is made of letters, and is none of those words.
_PLAIN_LINE = re.compile(
    r"[A-Za-z][A-Za-z0-9+/=_. -]{8,}[A-Za-z0-9+/=_.-]"
    r"|/[A-Za-z0-9+/=_.-]+"
    r"|(?!(?i:yes|no|true|false|on|off|null)$)[A-Za-z]{2,}(?:[_-][A-Za-z]+)*"
)
_WORDS = {True: "true", False: "false", None: "null"}
_LONGEST_KEY = 100
_INDENT = "  "


class _Unusual(Exception):  # noqa: N818  no error: PyYAML writes the document
    """Data that the short way does not know."""


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
    # PyYAML's emitter looks at every character and event in Python. Mappings and lists are easy to write in its form,
    # and how a word is quoted can be asked of it once; what is not so easy it writes as a whole.
    try:
        return "".join(_block(data, "")) if data else dump_by_library(data)
    except _Unusual:
        return dump_by_library(data)


def dump_by_library(data: Any) -> str:
    """The same by PyYAML alone: what `dump` is held to."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, width=1 << 20, allow_unicode=True)


def dump_all(documents: tuple[Any, ...]) -> str:
    """Several YAML documents, `---` between them."""
    return "---\n".join(dump(document) for document in documents)


def _block(data: Any, indent: str) -> Iterator[str]:
    """A mapping or a list that is not empty; its first line is indented already."""
    if type(data) is dict:
        heads = ((f"{_key(key)}:", f"\n{indent}{_INDENT}", value) for key, value in data.items())
    elif type(data) is list:
        heads = (("-", " ", item) for item in data)
    else:
        raise _Unusual
    lead = ""
    for head, glue, value in heads:
        yield lead + head
        yield from _value(value, indent + _INDENT, glue)
        lead = indent


def _value(value: Any, indent: str, glue: str) -> Iterator[str]:
    if isinstance(value, (dict, list)) and value:
        yield glue
        yield from _block(value, indent)
    elif isinstance(value, str) and "\n" in value:
        yield from _literal(value, indent)
    else:
        yield f" {_scalar(value)}\n"


def _literal(text: str, indent: str) -> Iterator[str]:
    if not _PLAIN_BLOCK.fullmatch(text):
        raise _Unusual
    yield " |\n" if text.endswith("\n") else " |-\n"
    for line in text.removesuffix("\n").split("\n"):
        yield f"{indent}{line}\n" if line else "\n"


def _key(key: Any) -> str:
    if not isinstance(key, str) or not key.isascii() or not key.isprintable() or not 0 < len(key) < _LONGEST_KEY:
        raise _Unusual
    return _line(str(key))


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _line(str(value))
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    if type(value) is int:
        return str(value)
    if type(value) in (dict, list):
        return "[]" if type(value) is list else "{}"
    raise _Unusual


def _line(text: str) -> str:
    if _PLAIN_LINE.fullmatch(text):
        return text
    if not text.isprintable():
        raise _Unusual
    return _word(text)


@lru_cache(maxsize=1024)
def _word(text: str) -> str:
    """A text of one line, quoted where PyYAML quotes it."""
    return dump_by_library(text).removesuffix("...\n").removesuffix("\n")
