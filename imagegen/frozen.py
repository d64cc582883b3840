"""The standard library's data classes, made in a tenth of the time.

`dataclasses` writes and compiles six functions for each frozen class. A render has eighty such classes, and all but a
little of their making was that. Here they share functions that look at the fields when they are called.
"""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, fields
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeVar

if TYPE_CHECKING:
    # What it is to whoever uses it, and to mypy: tests/unit/test_frozen.py holds the one below to it.
    from dataclasses import dataclass as dataclass  # noqa: PLC0414  for others to import

_Kind = TypeVar("_Kind", bound=type)
_put = object.__setattr__


def _dataclass(
    *,
    frozen: Literal[True],  # noqa: ARG001  said where the class is, and the one form that there is
    slots: Literal[True],  # noqa: ARG001  as above
    kw_only: Literal[True],
    order: bool = False,
    repr: bool = True,  # noqa: A002  the standard library's name
) -> Callable[[_Kind], _Kind]:
    """`dataclasses.dataclass` with these arguments."""

    def make(kind: _Kind) -> _Kind:
        dataclasses.dataclass(init=False, repr=False, eq=False, kw_only=kw_only)(kind)
        members = fields(kind)
        names = tuple(member.name for member in members)
        # As in the standard library: slots are a class's from its birth, or never. Methods set later cost more.
        body = {name: value for name, value in vars(kind).items() if name not in {*names, "__dict__", "__weakref__"}}
        body |= _METHODS | (_ORDER if order else {}) | ({"__repr__": _describe} if repr else {})
        body |= {"__init__": _initializer(kind.__qualname__, members), "__slots__": names}
        return type(kind)(kind.__name__, kind.__bases__, body)

    return make


if not TYPE_CHECKING:
    dataclass = _dataclass


def _initializer(kind: str, members: tuple[Field[Any], ...]) -> Callable[..., None]:
    def __init__(self: Any, /, **values: Any) -> None:  # noqa: N807  becomes the class's own
        missing = []
        for member in members:
            name = member.name
            if name in values:
                _put(self, name, values.pop(name))
            elif _has_default(member):
                _put(self, name, member.default if member.default_factory is MISSING else member.default_factory())
            else:
                missing.append(name)
        if missing or values:
            raise TypeError(f"{kind}: {_mistake(missing, values)}")

    return __init__


def _has_default(member: Field[Any]) -> bool:
    return member.default is not MISSING or member.default_factory is not MISSING


def _mistake(missing: list[str], unknown: dict[str, Any]) -> str:
    """The names alone: a value may be a secret."""
    return f"missing {', '.join(missing)}" if missing else f"unexpected {', '.join(unknown)}"


def _state(self: Any) -> list[Any]:
    return [getattr(self, member.name) for member in fields(self)]


def _restore(self: Any, state: list[Any]) -> None:
    for member, value in zip(fields(self), state, strict=True):
        _put(self, member.name, value)


def _describe(self: Any) -> str:
    named = (f"{member.name}={getattr(self, member.name)!r}" for member in fields(self))
    return f"{type(self).__qualname__}({', '.join(named)})"


def _comparison(compare: Callable[[Any, Any], bool]) -> Callable[[Any, object], bool]:
    def compared(self: Any, other: object) -> bool:
        return compare(_state(self), _state(other)) if type(other) is type(self) else NotImplemented

    return compared


def _hash(self: Any) -> int:
    return hash(tuple(_state(self)))


def _refuse_assignment(_self: Any, name: str, _value: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_deletion(_self: Any, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


_METHODS = {
    "__eq__": _comparison(operator.eq),
    "__hash__": _hash,
    "__setattr__": _refuse_assignment,
    "__delattr__": _refuse_deletion,
    "__getstate__": _state,
    "__setstate__": _restore,
}
_ORDER = {
    f"__{compare.__name__}__": _comparison(compare) for compare in (operator.lt, operator.le, operator.gt, operator.ge)
}
