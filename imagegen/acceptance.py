"""A quick yes to data that a JSON Schema surely lets pass; what is not sure, jsonschema decides."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Formats = Mapping[str, Callable[[str], object]]
"""Readers of a format's texts: `ValueError` for what has another form."""

_TYPES = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}
_SILENT = frozenset({"$schema", "$id", "$defs", "title", "description", "default", "examples"})


def matches(pattern: str, text: str) -> bool:
    """JSON Schema's `$` is the end of the text; Python's is also the place before a last line end."""
    return re.search(f"{pattern[:-1]}\\Z" if pattern.endswith("$") else pattern, text) is not None


@dataclass(frozen=True, slots=True)
class Known:
    """The schema's shared definitions, and its formats."""

    shared: Mapping[str, Any]
    formats: Formats


def is_sure(known: Known, value: Any, schema: Any) -> bool:
    """Whether no word of the schema can be against the value; a word unknown here is."""
    if not isinstance(schema, dict):
        return schema is True
    return all(_agrees(known, value, word, schema) for word in schema)


def _agrees(known: Known, value: Any, word: str, schema: Mapping[str, Any]) -> bool:
    if word in _WORDS:
        return _WORDS[word](value, schema[word])
    if word in _DEEP_WORDS:
        return _DEEP_WORDS[word](known, value, schema)
    return word in _SILENT


def _reference(known: Known, value: Any, schema: Mapping[str, Any]) -> bool:
    place, _, name = schema["$ref"].rpartition("/")
    return place == "#/$defs" and name in known.shared and is_sure(known, value, known.shared[name])


def _properties(known: Known, value: Any, schema: Mapping[str, Any]) -> bool:
    wanted = schema["properties"]
    return type(value) is dict and all(is_sure(known, value[key], wanted[key]) for key in wanted if key in value)


def _additional(known: Known, value: Any, schema: Mapping[str, Any]) -> bool:
    usual, wanted = schema.get("properties", {}), schema["additionalProperties"]
    return type(value) is dict and all(key in usual or is_sure(known, item, wanted) for key, item in value.items())


def _names(known: Known, value: Any, schema: Mapping[str, Any]) -> bool:
    return type(value) is dict and all(is_sure(known, key, schema["propertyNames"]) for key in value)


def _items(known: Known, value: Any, schema: Mapping[str, Any]) -> bool:
    return type(value) is list and all(is_sure(known, item, schema["items"]) for item in value)


def _format(known: Known, value: Any, schema: Mapping[str, Any]) -> bool:
    read = known.formats.get(schema["format"])
    try:
        return type(value) is str and read is not None and read(value) is not None
    except ValueError:
        return False


_DEEP_WORDS: dict[str, Callable[[Known, Any, Mapping[str, Any]], bool]] = {
    "$ref": _reference,
    "properties": _properties,
    "additionalProperties": _additional,
    "propertyNames": _names,
    "items": _items,
    "format": _format,
}
# Truth values are numbers to Python, and 1.0 is an integer to JSON Schema: only plain cases are sure.
_WORDS: dict[str, Callable[[Any, Any], bool]] = {
    "type": lambda value, wanted: type(wanted) is str and type(value) is _TYPES.get(wanted),
    "required": lambda value, wanted: type(value) is dict and all(key in value for key in wanted),
    "enum": lambda value, wanted: type(value) is str and value in wanted,
    "const": lambda value, wanted: type(value) is str and value == wanted,
    "not": lambda value, wanted: type(value) is str and set(wanted) == {"enum"} and value not in wanted["enum"],
    "pattern": lambda value, wanted: type(value) is str and matches(wanted, value),
    "minimum": lambda value, wanted: type(value) is int and value >= wanted,
    "maximum": lambda value, wanted: type(value) is int and value <= wanted,
    "minLength": lambda value, wanted: type(value) is str and len(value) >= wanted,
    "minItems": lambda value, wanted: type(value) is list and len(value) >= wanted,
}
