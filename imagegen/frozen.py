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
    slots: Literal[True],
    kw_only: Literal[True],
    order: bool = False,
    repr: bool = True,  # noqa: A002  the standard library's name
) -> Callable[[_Kind], _Kind]:
    """`dataclasses.dataclass` with these arguments."""

    def make(kind: _Kind) -> _Kind:
        made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)(kind)
        made.__init__ = _initializer(made)
        made.__eq__, made.__hash__ = _EQUAL, _hash
        made.__setattr__, made.__delattr__ = _refuse_assignment, _refuse_deletion
        made.__getstate__, made.__setstate__ = _state, _restore
        if order:
            made.__lt__, made.__le__, made.__gt__, made.__ge__ = _ORDER
        if repr:
            made.__repr__ = _describe
        return made  # type: ignore[no-any-return]

    return make


if not TYPE_CHECKING:
    dataclass = _dataclass


def _initializer(kind: Any) -> Callable[..., None]:
    members = fields(kind)

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
            raise TypeError(f"{kind.__qualname__}: {_mistake(missing, values)}")

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


_EQUAL = _comparison(operator.eq)
_ORDER = tuple(_comparison(compare) for compare in (operator.lt, operator.le, operator.gt, operator.ge))


def _hash(self: Any) -> int:
    return hash(tuple(_state(self)))


def _refuse_assignment(_self: Any, name: str, _value: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_deletion(_self: Any, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")
