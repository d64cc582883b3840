"""`frozen.dataclass` is the standard library's, but for the time that it takes."""

from __future__ import annotations

import copy
import dataclasses
import operator
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field
from typing import Any

import pytest

from imagegen import frozen
from imagegen.bundle import KeyPair
from imagegen.diagnostics import Position


def made_by(dataclass: Any) -> Any:
    @dataclass(frozen=True, slots=True, kw_only=True, order=True)
    class Thing:
        """A thing."""

        name: str
        size: int = 3
        parts: list[int] = field(default_factory=list)

        @property
        def double(self) -> int:
            return self.size * 2

    return Thing


@pytest.fixture(params=[dataclasses.dataclass, frozen.dataclass], ids=["standard", "ours"])
def thing(request: pytest.FixtureRequest) -> Any:
    return made_by(request.param)


def test_it_is_made_of_keywords_and_defaults(thing: Any) -> None:
    first, second = thing(name="a"), thing(size=5, name="b", parts=[1])
    assert (first.name, first.size, first.parts, first.double) == ("a", 3, [], 6)
    assert (second.name, second.size, second.parts) == ("b", 5, [1])
    assert first.parts is not thing(name="a").parts


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda thing: thing(), ["Thing", "missing", "name"]),
        (lambda thing: thing("a"), ["positional"]),
        (lambda thing: thing(name="a", sise=1), ["Thing", "unexpected", "sise"]),
    ],
    ids=["missing", "positional", "unknown"],
)
def test_it_refuses_other_values(thing: Any, make: Callable[[Any], Any], words: list[str]) -> None:
    with pytest.raises(TypeError) as caught:
        make(thing)
    assert all(word in str(caught.value) for word in words)


def test_it_never_changes(thing: Any) -> None:
    one = thing(name="a")
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'name'"):
        one.name = "b"
    with pytest.raises((FrozenInstanceError, TypeError)):
        one.colour = "red"
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'name'"):
        del one.name
    assert not hasattr(one, "__dict__")


def test_it_is_equal_to_its_like_alone(thing: Any) -> None:
    assert thing(name="a") == thing(name="a", size=3)
    assert thing(name="a") != thing(name="b")
    assert thing(name="a") != ("a", 3, [])
    assert thing(name="a") != made_by(dataclasses.dataclass)(name="a")
    assert thing.__eq__(thing(name="a"), 1) is NotImplemented


@pytest.mark.parametrize("compare", [operator.lt, operator.le, operator.gt, operator.ge])
def test_it_is_ordered_where_that_is_asked_for(thing: Any, compare: Any) -> None:
    for left, right in (("a", "b"), ("b", "a"), ("a", "a")):
        assert compare(thing(name=left), thing(name=right)) is compare(left, right)
    with pytest.raises(TypeError):
        compare(thing(name="a"), "b")
    with pytest.raises(TypeError):
        compare(KeyPair(public="", private=""), KeyPair(public="", private=""))


def test_it_has_the_hash_of_its_values(thing: Any) -> None:
    assert hash(thing(name="a", parts=(1,))) == hash(("a", 3, (1,)))
    with pytest.raises(TypeError, match="unhashable"):
        hash(thing(name="a"))


def test_it_says_what_is_in_it(thing: Any) -> None:
    assert repr(thing(name="a")).endswith("Thing(name='a', size=3, parts=[])")


def test_the_standard_functions_know_it(thing: Any) -> None:
    one = thing(name="a", parts=[1])
    assert dataclasses.is_dataclass(type(one))
    assert [entry.name for entry in dataclasses.fields(thing)] == ["name", "size", "parts"]
    assert dataclasses.asdict(one) == {"name": "a", "size": 3, "parts": [1]}
    assert dataclasses.replace(one, size=4) == thing(name="a", size=4, parts=[1])
    assert copy.copy(one) == one
    assert copy.deepcopy(one) == one


def test_it_travels_between_processes() -> None:
    place = Position(file="a.yaml", line=1, column=2)
    assert pickle.loads(pickle.dumps(place)) == place  # noqa: S301  its own


def test_secrets_are_not_said() -> None:
    assert "hush" not in repr(KeyPair(public="p", private="hush"))
    with pytest.raises(TypeError) as caught:
        KeyPair(public="p", private="hush", more="hush")  # type: ignore[call-arg]
    assert "hush" not in str(caught.value)
