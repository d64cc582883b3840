"""Python sources without what the program does not need: comments, docstrings, annotations of functions, blank space.

Pieces are cut out of the text as it stands, so that every Python makes the same of it; names and order stay, and what
is left is the same program.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from functools import cache

_Cut = tuple[int, int, str]
# Texts of several lines: their inner lines are content. From 3.12 on, an f-string is several tokens.
_TEXTS = {tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
_SILENT = {tokenize.NL, tokenize.COMMENT}
_Documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@cache
def shorten(source: str) -> str:
    """The same program in fewer bytes; `SyntaxError` where it is none."""
    return _without_blanks(_without_comments(_without_words(source)))


def _without_words(source: str) -> str:
    data = source.encode()
    starts = _line_starts(data.splitlines(keepends=True))
    cuts = [cut for node in ast.walk(ast.parse(source)) for cut in _words(node, data, starts)]
    return _apply(data, cuts).decode()


def _words(node: ast.AST, data: bytes, starts: list[int]) -> Iterator[_Cut]:
    if isinstance(node, _Documented) and (text := _docstring(node)):
        alone = len(node.body) == 1 and not isinstance(node, ast.Module)
        yield (*_span(text, starts), "0" if alone else "")
    if isinstance(node, ast.arg) and node.annotation:
        begin, _ = _span(node, starts)
        yield begin + len(node.arg.encode()), _span(node.annotation, starts)[1], ""
    if isinstance(node, ast.FunctionDef) and node.returns:
        begin, end = _span(node.returns, starts)
        arrow = data.rindex(b"->", 0, begin)
        yield len(data[:arrow].rstrip()), end, ""


def _docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> ast.Expr | None:
    first = node.body[0] if node.body else None
    found = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    return first if found and isinstance(first, ast.Expr) else None


def _span(node: ast.expr | ast.stmt | ast.arg, starts: list[int]) -> tuple[int, int]:
    end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
    return starts[node.lineno - 1] + node.col_offset, starts[end_line - 1] + end_column


def _without_comments(source: str) -> str:
    # From characters to bytes: a token's column counts the ones, a cut the others.
    lines = source.splitlines(keepends=True)
    starts = _line_starts([line.encode() for line in lines])
    cuts: list[_Cut] = []
    for token in _tokens(source):
        if token.type == tokenize.COMMENT:
            line, column = token.start
            begin = starts[line - 1] + len(lines[line - 1][:column].encode())
            cuts.append((begin, begin + len(token.string.encode()), ""))
    return _apply(source.encode(), cuts).decode()


def _without_blanks(source: str) -> str:
    """One space for each level of indentation, none before a line that goes on, no empty lines."""
    levels, content = _layout(source)
    lines: list[str] = []
    for number, line in enumerate(source.splitlines(), 1):
        if number in content:
            lines.append(line)
        elif line.strip():
            lines.append(" " * levels.get(number, 0) + line.strip())
    return "\n".join(lines) + "\n"


def _layout(source: str) -> tuple[dict[int, int], set[int]]:
    """The level of each line that begins a statement, and the lines that are inside a text."""
    levels: dict[int, int] = {}
    content: set[int] = set()
    level, begins = 0, True
    for token in _tokens(source):
        if token.type in (tokenize.INDENT, tokenize.DEDENT):
            level += 1 if token.type == tokenize.INDENT else -1
        elif token.type == tokenize.NEWLINE:
            begins = True
        elif token.type not in _SILENT:
            if begins:
                levels[token.start[0]] = level
            begins = False
            if token.type in _TEXTS:
                content.update(range(token.start[0] + 1, token.end[0] + 1))
    return levels, content


def _tokens(source: str) -> Iterator[tokenize.TokenInfo]:
    return tokenize.generate_tokens(io.StringIO(source).readline)


def _line_starts(lines: list[bytes]) -> list[int]:
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    return starts


def _apply(data: bytes, cuts: list[_Cut]) -> bytes:
    for begin, end, instead in sorted(cuts, reverse=True):
        data = data[:begin] + instead.encode() + data[end:]
    return data
