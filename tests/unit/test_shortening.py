"""A shortened program is the same program."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from imagegen.images.shortening import shorten

ROOT = Path(__file__).parents[2]
SOURCES = [path for folder in ("packer", "stock") for path in sorted((ROOT / folder).rglob("*.py"))]
TRICKY = {
    "docstring alone": 'class A(Exception):\n    """Words."""\n',
    "docstring before more": 'def f(a: int, *, b: "str" = "x: int -> y") -> "T[str]":\n    """Words."""\n    return a\n',  # noqa: E501
    "texts of several lines": 'A = """\\\n  kept:\n\n    # no comment\n"""\nB = f"""\n  {A!r}  # text\n   """\n',
    "signs in texts": 'A = "# no comment"  # a comment\nB = lambda x: x  # -> none\n',
    "beyond ASCII": 'def f(grüße: str, *größen: int) -> str:  # ü\n    return "ü # ü" + grüße  # ö\n',
    "lines that go on": "A = [\n    1,  # one\n\n    # two\n    2,\n]\nif A and \\\n        A[0]:\n    B = A\n",
    "texts that go on": "if 1:\n    B = (\n        'x'\n        # in between\n        'y'\n    )\n",
    "nested": "class A:\n    x: int = 1\n\n    def f(self, **more: int) -> None:\n        def g():\n            'x'\n",
}


def meaning(source: str) -> str:
    """The program without docstrings and annotations of functions, as data."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            node.body = [statement for statement in node.body if not is_words(statement)]
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        if isinstance(node, ast.arg):
            node.annotation = None
    return ast.dump(tree)


def is_words(statement: ast.stmt) -> bool:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and (isinstance(value.value, str) or value.value == 0)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_program_of_a_node(path: Path) -> None:
    source = path.read_text()
    shortened = shorten(source)
    assert meaning(shortened) == meaning(source)
    assert shorten(shortened) == shortened


@pytest.mark.parametrize("name", TRICKY)
def test_tricky_sources(name: str) -> None:
    shortened = shorten(TRICKY[name])
    assert meaning(shortened) == meaning(TRICKY[name])
    assert len(shortened) <= len(TRICKY[name])


def test_it_is_worth_it() -> None:
    before = sum(path.stat().st_size for path in SOURCES)
    after = sum(len(shorten(path.read_text()).encode()) for path in SOURCES)
    assert after < 0.75 * before


def test_what_is_no_program() -> None:
    with pytest.raises(SyntaxError):
        shorten("def f(:\n")
