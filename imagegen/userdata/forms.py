"""The forms in which providers take user-data."""

from __future__ import annotations

import gzip
from base64 import b64encode
from dataclasses import dataclass

from imagegen.plan import DeliveryPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """User-data of one role: `plain` as a person reads it, `payload` as it counts against the limit."""

    role: str
    plain: bytes
    payload: bytes
    encoding: str
    limit: int

    @property
    def fits(self) -> bool:
        return not self.limit or len(self.payload) <= self.limit

    @property
    def encoded(self) -> bytes | None:
        """What goes through the provider's API; None where that is the plain text."""
        return None if self.encoding == "plain" else b64encode(self.payload) + b"\n"

    @property
    def suffix(self) -> str:
        """Ends the name of the encoded file."""
        return "gz.base64" if self.payload is not self.plain else "base64"


def make_artifact(role: str, text: str, delivery: DeliveryPlan) -> Artifact:
    """Compress where the plain text is over the limit and the provider is known to hand gzip through."""
    plain = text.encode()
    over = bool(delivery.limit) and len(plain) > delivery.limit
    # `mtime=0`: the time must not get into the bytes.
    payload = gzip.compress(plain, 9, mtime=0) if over and delivery.gzip else plain
    return Artifact(role=role, plain=plain, payload=payload, encoding=delivery.encoding, limit=delivery.limit)
