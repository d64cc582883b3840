"""Strict YAML with positions."""

from __future__ import annotations

import pytest

from imagegen.diagnostics import Position
from imagegen.document import parse


def test_positions_of_keys_and_values() -> None:
    document, findings = parse("a:\n  b: [1, {c: 2}]\n", "x.yaml")
    assert not findings
    assert document is not None
    assert document.data == {"a": {"b": [1, {"c": 2}]}}
    assert document.locate(("a", "b"), on_key=True) == Position(file="x.yaml", line=2, column=3)
    assert document.locate(("a", "b", 1, "c")) == Position(file="x.yaml", line=2, column=14)


def test_what_is_not_there_is_located_at_what_encloses_it() -> None:
    document, _ = parse("a:\n  b: 1\n", "x.yaml")
    assert document is not None
    assert document.locate(("a", "missing", "deeper")) == Position(file="x.yaml", line=2, column=3)


def test_a_date_stays_text() -> None:
    document, _ = parse("day: 2026-11-23\n", "x.yaml")
    assert document is not None
    assert document.data == {"day": "2026-11-23"}


@pytest.mark.parametrize(
    ("text", "code", "line", "column"),
    [
        pytest.param("a: [1\n", "IG001", 2, 1, id="unclosed"),
        pytest.param("a: 1\n\tb: 2\n", "IG001", 2, 1, id="tab"),
        pytest.param("", "IG001", 1, 1, id="empty"),
        pytest.param("a: 1\nb: 2\na: 3\n", "IG002", 3, 1, id="duplicate"),
        pytest.param("a: 1\n80: 2\n", "IG004", 2, 1, id="number as key"),
        pytest.param("a: &x [*x]\n", "IG003", 1, 4, id="recursive alias"),
        pytest.param("a: !!python/object:os.system x\n", "IG001", 1, 4, id="tag"),
        pytest.param("a: 1\n---\nb: 2\n", "IG001", 3, 1, id="two documents"),
        pytest.param("a: 1\nb: x\x07\n", "IG001", 2, 5, id="control character"),
        pytest.param("a: 0b_\n", "IG001", 1, 1, id="no number"),
        pytest.param("[" * 5000, "IG003", 1, 1, id="deep"),
    ],
)
def test_faults(text: str, code: str, line: int, column: int) -> None:
    document, findings = parse(text, "x.yaml")
    assert document is None
    assert [finding.code for finding in findings] == [code]
    assert findings[0].position == Position(file="x.yaml", line=line, column=column)


def test_aliases_do_not_expand_without_bound() -> None:
    laughs = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    laughs += [f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]" for old, new in zip("abcdefg", "bcdefgh", strict=True)]
    document, findings = parse("\n".join(laughs), "x.yaml")
    assert document is None
    assert {finding.code for finding in findings} == {"IG003"}
