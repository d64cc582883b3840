"""Secrets that stand in a spec, where they must not: specs lie in repositories."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from imagegen.diagnostics import Diagnostic, Path

_SECRETS = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "an age identity": re.compile(r"\bAGE-SECRET-KEY-1[0-9A-Z]{8}"),
    "a bootstrap token": re.compile(r"\b(?=[a-z]*[0-9])[a-z0-9]{6}\.(?=[a-z0-9]*[0-9])[a-z0-9]{16}\b"),
    "an Alibaba Cloud access key": re.compile(r"\bLTAI[A-Za-z0-9]{12,24}\b"),
    "an AWS access key": re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"),
}


def find_secrets(data: Any) -> tuple[Diagnostic, ...]:
    """IG106: every string that holds a secret; the message never repeats it."""
    return tuple(
        Diagnostic(
            code="IG106",
            message=f"this holds {kind}: a spec is no place for secrets",
            hint="cluster secrets live in the bundle (`imagegen secrets new`); replace this one, it is known now",
            path=path,
            quotable=False,
        )
        for path, text in _strings(data, ())
        for kind, pattern in _SECRETS.items()
        if pattern.search(text)
    )


def _strings(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _strings(item, (*path, number))
