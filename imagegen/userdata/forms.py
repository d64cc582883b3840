"""The forms in which providers take user-data."""

from __future__ import annotations

import gzip
from base64 import b64encode
from collections.abc import Callable

from imagegen.frozen import dataclass
from imagegen.plan import DeliveryPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """User-data of one role: `plain` as it can be pasted, `payload` as it counts against the limit.

    `parts` are the sizes of its files as they stand in it, in bytes, by path.
    """

    role: str
    plain: bytes
    payload: bytes
    encoding: str
    limit: int
    parts: tuple[tuple[str, int], ...]

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
        return "base64" if self.payload == self.plain else "gz.base64"

    @property
    def heaviest(self) -> tuple[tuple[str, int], ...]:
        """The three largest files, largest first."""
        return tuple(sorted(self.parts, key=lambda part: -part[1])[:3])


def make_artifact(
    role: str,
    render: Callable[[bool], str],
    parts: Callable[[bool], tuple[tuple[str, int], ...]],
    delivery: DeliveryPlan,
) -> Artifact:
    """Readable where it fits; then with its files packed one by one; then as a whole, where gzip is known to arrive."""
    packed = False
    plain = render(packed).encode()
    if delivery.limit and len(plain) > delivery.limit:
        packed = True
        plain = render(packed).encode()
    over = bool(delivery.limit) and len(plain) > delivery.limit
    # `mtime=0`: the time must not get into the bytes.
    payload = gzip.compress(plain, 9, mtime=0) if over and delivery.gzip else plain
    return Artifact(
        role=role,
        plain=plain,
        payload=payload,
        encoding=delivery.encoding,
        limit=delivery.limit,
        parts=parts(packed),
    )
