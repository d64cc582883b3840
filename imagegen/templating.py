"""The only Jinja environment: leaf files, undefined names being errors."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment, Template


@cache
def _environment() -> Environment:
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415  slow to import, and `--help` needs none of it

    # S701: the leaf files are TOML, sysctl and unit files; none of them is HTML.
    return Environment(undefined=StrictUndefined, keep_trailing_newline=True, trim_blocks=True)  # noqa: S701


@cache
def _template(text: str) -> Template:
    return _environment().from_string(text)


def render(text: str, values: Mapping[str, Any]) -> str:
    """Fill one template; `jinja2.UndefinedError` where it names what `values` lacks."""
    return _template(text).render(values)
