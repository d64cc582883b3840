"""Facts about first boot."""

from imagegen.frozen import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseFacts:
    """A phase of first boot as the node's own program knows it; `limit` in seconds."""

    name: str
    does: str
    roles: frozenset[str]
    modes: frozenset[str]
    limit: float | None
    at_limit: str
    again: str
    hooks: str
    setting: str
