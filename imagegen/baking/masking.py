"""Secrets of the environment do not get into a log."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

_SECRET = re.compile(r"(?i)SECRET|TOKEN|PASSW|ACCESS_KEY|PRIVATE|CREDENTIAL")
# A short value is a word like any other, and masking it would spoil the log.
_SHORTEST = 8


def mask_for(environment: Mapping[str, str]) -> Callable[[str], str]:
    """Replaces the values of all variables whose names speak of secrets."""
    secrets = {value for name, value in environment.items() if _SECRET.search(name) and len(value) >= _SHORTEST}
    # The longest first: one may be part of another.
    pattern = re.compile("|".join(re.escape(secret) for secret in sorted(secrets, key=len, reverse=True)) or r"(?!)")
    return lambda text: pattern.sub("***", text)
