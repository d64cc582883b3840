"""Keeps secrets out of everything that is printed or logged."""

from __future__ import annotations

import re

STARS = "******"
# Hiding something shorter would hide half of every line.
SHORTEST = 6
_SECRETS = (
    (re.compile(r"\b([a-z0-9]{6})\.[a-z0-9]{16}\b"), r"\1." + STARS),
    (re.compile(r"(--certificate-key[ =])\S+"), r"\1" + STARS),
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL), STARS),
)


class Masker:
    """Hides what looks like a secret, and what it has been told is one."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def learn(self, secrets: set[str]) -> None:
        self._known |= {secret for secret in secrets if len(secret) >= SHORTEST}

    def __call__(self, text: str) -> str:
        for secret in sorted(self._known, key=len, reverse=True):
            text = text.replace(secret, STARS)
        for pattern, replacement in _SECRETS:
            text = pattern.sub(replacement, text)
        return text
