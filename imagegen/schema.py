"""The schema gate: JSON Schema's errors, said so that a person can act on them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

from imagegen.acceptance import Known, is_sure, matches
from imagegen.diagnostics import Diagnostic
from imagegen.spec import read_hostname, split_endpoint

if TYPE_CHECKING:
    from jsonschema import FormatChecker
    from jsonschema.exceptions import ValidationError

_SHOWN = 100
_READERS: dict[str, Callable[[str], object]] = {
    "cidr": ip_network,
    "address": ip_address,
    "endpoint": split_endpoint,
    "hostname": read_hostname,
}


def check_schema(data: Any, schema: Mapping[str, Any], kind: str) -> tuple[Diagnostic, ...]:
    """All that the schema holds against a document of this kind (codes IG101 to IG105)."""
    # jsonschema takes longer to import than much of a render; it is needed to say what is wrong.
    if is_sure(Known(schema["$defs"], _READERS), data, schema["$defs"][kind]):
        return ()
    return explain_errors(data, schema, kind)


def explain_errors(data: Any, schema: Mapping[str, Any], kind: str) -> tuple[Diagnostic, ...]:
    """The same by jsonschema alone: what the quick yes is held to."""
    of_kind = schema["$defs"][kind] | {"$defs": schema["$defs"]}
    strict = _strict()(of_kind, format_checker=_format_checker())
    return tuple(finding for error in strict.iter_errors(data) for finding in _explain(error))


@cache
def _strict() -> Any:
    from jsonschema import Draft202012Validator, validators  # noqa: PLC0415  slow to import, and `--help` needs none

    return validators.extend(Draft202012Validator, {"pattern": _check_pattern})  # type: ignore[no-untyped-call]


@cache
def _format_checker() -> FormatChecker:
    from jsonschema import FormatChecker  # noqa: PLC0415  as above

    checker = FormatChecker(formats=())
    for name, read in _READERS.items():
        checker.checks(name, raises=ValueError)(_only_strings(read))
    return checker


def _check_pattern(_: object, pattern: str, value: object, __: object) -> Iterator[ValidationError]:
    from jsonschema.exceptions import ValidationError  # noqa: PLC0415  as above

    if isinstance(value, str) and not matches(pattern, value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _only_strings(read: Callable[[str], object]) -> Callable[[object], bool]:
    def check(value: object) -> bool:
        return not isinstance(value, str) or read(value) is not None

    return check


def _explain(error: ValidationError) -> Iterator[Diagnostic]:
    explain = _EXPLANATIONS.get(str(error.validator), _explain_other)
    yield from explain(error)


def _path(error: ValidationError, *more: str) -> tuple[str | int, ...]:
    return (*error.absolute_path, *more)


def _name(error: ValidationError) -> str:
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path]
    return "".join(parts).lstrip(".") or "the document"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _schema(error: ValidationError) -> Mapping[str, Any]:
    return _mapping(error.schema)


def _example(error: ValidationError) -> str | None:
    examples = _schema(error).get("examples")
    return f"for example `{_show(examples[0])}`" if examples else None


def _show(value: Any) -> str:
    if isinstance(value, str) and "\n" in value:
        return json.dumps(value)
    if isinstance(value, str):
        return f'"{value}"' if re.fullmatch(r"[0-9.]+", value) else value
    return str(value).lower() if isinstance(value, bool) else str(value)


def _explain_unknown(error: ValidationError) -> Iterator[Diagnostic]:
    known = sorted(_schema(error).get("properties", {}))
    for key in sorted(set(_mapping(error.instance)) - set(known)):
        close = get_close_matches(str(key), known, n=1)
        hint = f"did you mean `{close[0]}`?" if close else f"known here: {', '.join(known)}"
        message = f"`{key}` is not known in {_name(error)}"
        yield Diagnostic(code="IG101", message=message, hint=hint, path=_path(error, key), on_key=True)


def _explain_missing(error: ValidationError) -> Iterator[Diagnostic]:
    # jsonschema reports one missing key at a time; its message quotes the key first.
    key = str(error.message).split("'")[1]
    properties = _schema(error).get("properties", {})
    hint = properties.get(key, {}).get("description")
    yield Diagnostic(code="IG102", message=f"{_name(error)} needs `{key}`", hint=hint, path=_path(error), on_key=True)


def _explain_type(error: ValidationError) -> Iterator[Diagnostic]:
    wanted = str(error.validator_value)
    hint = _example(error)
    if wanted == "string" and isinstance(error.instance, int | float):
        hint = "quote it: YAML reads it as a number or a truth value, and 1.30 would become 1.3"
    message = f"{_name(error)} must be of type {wanted}, not {_kind(error.instance)}"
    yield Diagnostic(code="IG103", message=message, hint=hint, path=_path(error))


def _kind(value: object) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")


def _explain_choice(error: ValidationError) -> Iterator[Diagnostic]:
    value: Any = error.validator_value
    choices = [value] if error.validator == "const" else list(value)
    close = get_close_matches(str(error.instance), [str(choice) for choice in choices], n=1)
    hint = f"did you mean `{close[0]}`?" if close else None
    message = f"{_name(error)} must be {' or '.join(f'`{choice}`' for choice in choices)}"
    yield Diagnostic(code="IG104", message=message, hint=hint, path=_path(error))


_FORMATS = {
    "cidr": "a network like 192.168.0.0/24 (its host bits zero)",
    "address": "an IP address",
    "endpoint": "host:port",
    "hostname": "a DNS name in lower case",
}


def _excerpt(value: object) -> str:
    """A value on one line, however long it is and whatever is in it."""
    text = str(value)
    short = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return short if short.isprintable() else short.encode("unicode_escape").decode()


def _explain_format(error: ValidationError) -> Iterator[Diagnostic]:
    wanted = _FORMATS[str(error.validator_value)]
    message = f"{_name(error)} must be {wanted}, not `{_excerpt(error.instance)}`"
    yield Diagnostic(code="IG105", message=message, hint=_example(error), path=_path(error))


def _explain_pattern(error: ValidationError) -> Iterator[Diagnostic]:
    value = _excerpt(error.instance)
    message = f"{_name(error)} has a form that is not allowed: `{value}` does not match {error.validator_value}"
    yield Diagnostic(code="IG105", message=message, hint=_example(error), path=_path(error))


def _explain_other(error: ValidationError) -> Iterator[Diagnostic]:
    message = f"{_name(error)}: {error.message}"
    yield Diagnostic(code="IG105", message=message, hint=_example(error), path=_path(error))


_EXPLANATIONS: dict[str, Callable[[ValidationError], Iterator[Diagnostic]]] = {
    "additionalProperties": _explain_unknown,
    "required": _explain_missing,
    "type": _explain_type,
    "enum": _explain_choice,
    "const": _explain_choice,
    "format": _explain_format,
    "pattern": _explain_pattern,
}
