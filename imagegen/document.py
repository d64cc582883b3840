"""Strict YAML: text becomes plain data, and every value keeps its place in the text."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from imagegen import frozen
from imagegen.diagnostics import Diagnostic, Path, Position

MAX_BYTES = 1 << 20
MAX_DEPTH = 40
MAX_NODES = 20_000
# Compiled where a text has more than ASCII: that takes longer than the usual spec.
_HALF = "[\ud800-\udfff]"
_TOO_DEEP = "the document is nested too deeply, or its aliases expand to too much"


@frozen.dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Plain data of one YAML file, and where each key and value of it stands."""

    file: str
    text: str
    data: Any
    values: Mapping[Path, Position]
    keys: Mapping[Path, Position]

    def locate(self, path: Path, *, on_key: bool = False) -> Position:
        """The place of a value, or of its key; the nearest enclosing one for what is not there."""
        exact = (self.keys if on_key else self.values).get(path)
        if exact is not None:
            return exact
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, Position(file=self.file, line=1, column=1))


class _Loader(yaml.SafeLoader):
    """YAML without timestamps: a date in a spec is a string that somebody forgot to quote."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class _QuickLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The same by libyaml, ten times as quick, where PyYAML was built with it."""


_QuickLoader.yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers

# Where libyaml and PyYAML differ, in what they take or in where they see it: beyond ASCII, tabs, tags, `?`, directives,
# nothing before a comma or a bracket, a comment right at a block's head, no break at the end.
_HARD = re.compile(r"[^\n -~]|[?!]|^%|:\s*[],}]|[|>][-+0-9]*#|[^\n]\Z", re.MULTILINE)
# libyaml's reader goes down the machine's own stack, without PyYAML's limit.
_QUICK_BYTES = 1 << 16
_QUICK_BRACKETS = 1000
_DASHES = re.compile(r"(- +){20}")


def parse(text: str, file: str) -> tuple[Document | None, tuple[Diagnostic, ...]]:
    """Read the one YAML document of a file; where it cannot be read, say why and where (codes IG001 to IG004)."""
    documents, findings = parse_all(text, file)
    if len(documents) > 1:
        place = documents[1].locate(())
        return None, (Diagnostic(code="IG001", message="a second document where one is expected", position=place),)
    return (documents[0] if documents else None), findings


def parse_all(text: str, file: str) -> tuple[tuple[Document, ...], tuple[Diagnostic, ...]]:
    """Read the YAML documents of a file: at least one, or the findings that say why there is none."""
    if len(text.encode()) > MAX_BYTES:
        return (), (_at(file, "IG003", f"the file is larger than {MAX_BYTES} bytes"),)
    documents = parse_quickly(text, file)
    return (documents, ()) if documents else parse_slowly(text, file)


def parse_slowly(text: str, file: str) -> tuple[tuple[Document, ...], tuple[Diagnostic, ...]]:
    """The same by PyYAML alone: what `parse_quickly` is held to."""
    try:
        return _parse_all(_Loader(text), text, file)
    except yaml.MarkedYAMLError as error:
        return (), (_syntax_error(error, file),)
    except yaml.reader.ReaderError as error:
        return (), (_unreadable_character(error, text, file),)
    except RecursionError:
        return (), (_at(file, "IG003", _TOO_DEEP),)
    except ValueError as error:
        # A scalar that looks like a number and is none, such as `0b_`.
        return (), (_at(file, "IG001", f"not YAML: {error}", hint="quote what is meant as text"),)


def parse_quickly(text: str, file: str) -> tuple[Document, ...]:
    """The documents of a file in which all is well, and plain; nothing otherwise: PyYAML says what it is."""
    if len(text) > _QUICK_BYTES or text.count("[") + text.count("{") > _QUICK_BRACKETS:
        return ()
    if _HARD.search(text) or _DASHES.search(text):
        return ()
    try:
        return _parse_all(_QuickLoader(text), text, file)[0]
    except (yaml.YAMLError, ValueError):
        return ()


def _parse_all(loader: Any, text: str, file: str) -> tuple[tuple[Document, ...], tuple[Diagnostic, ...]]:
    documents: list[Document] = []
    findings: list[Diagnostic] = []
    while loader.check_node():
        node = loader.get_node()
        # `---` at the end, or twice: nothing stands between.
        if node is None or (node.tag == "tag:yaml.org,2002:null" and not node.value):
            continue
        index = _Index(file)
        index.walk(node, ())
        findings += index.findings
        if not index.findings:
            data = loader.construct_document(node)
            documents.append(Document(file=file, text=text, data=data, values=index.values, keys=index.keys))
    if not documents and not findings:
        findings.append(_at(file, "IG001", "the file is empty", hint="`imagegen init` writes a start"))
    return (() if findings else tuple(documents)), tuple(findings)


def _unreadable_character(error: yaml.reader.ReaderError, text: str, file: str) -> Diagnostic:
    before = text[: error.position]
    position = Position(file=file, line=before.count("\n") + 1, column=len(before) - before.rfind("\n"))
    message = f"not YAML: the character U+{ord(text[error.position]):04X} may not stand in it"
    return Diagnostic(code="IG001", message=message, hint="control characters want a quoted escape", position=position)


def _at(file: str, code: str, message: str, *, hint: str | None = None) -> Diagnostic:
    return Diagnostic(code=code, message=message, hint=hint, position=Position(file=file, line=1, column=1))


def _syntax_error(error: yaml.MarkedYAMLError, file: str) -> Diagnostic:
    mark = error.problem_mark or error.context_mark
    position = Position(file=file, line=mark.line + 1 if mark else 1, column=mark.column + 1 if mark else 1)
    context = f" ({error.context})" if error.context else ""
    return Diagnostic(code="IG001", message=f"not YAML: {error.problem}{context}", position=position)


@dataclass(slots=True)
class _Index:
    """Walks the node graph once, bounded, before any data is made of it."""

    file: str
    values: dict[Path, Position] = field(default_factory=dict)
    keys: dict[Path, Position] = field(default_factory=dict)
    findings: list[Diagnostic] = field(default_factory=list)

    def walk(self, node: yaml.Node, path: Path) -> None:
        if self.findings and self.findings[-1].code == "IG003":
            return
        self.values[path] = self._position(node)
        if len(path) > MAX_DEPTH or len(self.values) > MAX_NODES:
            self.findings.append(Diagnostic(code="IG003", message=_TOO_DEEP, position=self._position(node)))
        elif isinstance(node, yaml.MappingNode):
            self._walk_mapping(node, path)
        elif isinstance(node, yaml.SequenceNode):
            for number, item in enumerate(node.value):
                self.walk(item, (*path, number))
        else:
            self._check_text(node)

    def _walk_mapping(self, node: yaml.MappingNode, path: Path) -> None:
        for key_node, value_node in node.value:
            key = key_node.value
            self._check_text(key_node)
            if key_node.tag == "tag:yaml.org,2002:merge":
                self.walk(value_node, (*path, "<<"))
                continue
            if key_node.tag != "tag:yaml.org,2002:str" or not isinstance(key, Hashable):
                self._find("IG004", f"the key `{key}` is not a string", "quote it", key_node)
                continue
            here = (*path, str(key))
            if here in self.keys:
                first = self.keys[here].line
                hint = f"it stands in line {first} already; keep one of the two"
                self._find("IG002", f"the key `{key}` stands twice", hint, key_node)
                continue
            self.keys[here] = self._position(key_node)
            self.walk(value_node, here)

    def _check_text(self, node: yaml.Node) -> None:
        """An escape may write half of a UTF-16 pair, which is no character and has no bytes."""
        if isinstance(node.value, str) and not node.value.isascii() and re.search(_HALF, node.value):
            self._find("IG001", "half a surrogate pair is no character", "write the character itself", node)

    def _find(self, code: str, message: str, hint: str, node: yaml.Node) -> None:
        self.findings.append(Diagnostic(code=code, message=message, hint=hint, position=self._position(node)))

    def _position(self, node: yaml.Node) -> Position:
        mark = node.start_mark
        return Position(file=self.file, line=mark.line + 1, column=mark.column + 1)
