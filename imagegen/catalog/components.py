"""What Kubernetes' components refuse: flags, feature gates, preflight names, ranges."""

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from imagegen.catalog.unread import Unread
from imagegen.frozen import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentFacts:
    """A control-plane component: flags, with the minor that dropped each, or the key of a spec that sets it."""

    removed_flags: Mapping[str, str]
    spec_keys: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureGates:
    """Gates by the minor that changed them; a gate that stands nowhere is not known to be wrong."""

    removed: Mapping[str, str]
    added: Mapping[str, str]
    locked: Mapping[str, tuple[str, bool]]

    def removed_in(self, gate: str, version: str) -> str | None:
        """The minor that dropped the gate, where this version has it no more."""
        since = self.removed.get(gate)
        return since if since and not is_older(version, since) else None

    def added_in(self, gate: str, version: str) -> str | None:
        """The minor that brings the gate, where this version has it not yet."""
        first = self.added.get(gate)
        return first if first and is_older(version, first) else None

    def locked_to(self, gate: str, version: str) -> bool | None:
        """The one value that this version takes; None where it takes both."""
        since, value = self.locked.get(gate, (None, None))
        return value if since and not is_older(version, since) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeMask:
    """How much of the pod range each node takes, and the flags that change it, the strongest first."""

    default: int
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeFacts:
    """Bounds of address ranges; `node_masks` by the IP version."""

    node_masks: Mapping[int, NodeMask]
    pod_mask_difference: int
    service_bits: int
    service_addresses: int
    pod_addresses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OneMachine:
    """What names one machine: the kubelet's flags and fields, and the values that name none."""

    flags: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    harmless: frozenset[str] = field(default_factory=frozenset)


def parse_components(tables: Mapping[str, Any]) -> dict[str, ComponentFacts]:
    """components.toml."""
    return {name: ComponentFacts(**facts) for name, facts in tables.items()}


def parse_gates(table: Mapping[str, Any]) -> FeatureGates:
    """feature_gates.toml, turned round: from minors with their gates to gates with their minor."""

    def by_gate(name: str) -> dict[str, str]:
        return {gate: minor for minor, gates in table[name].items() for gate in gates}

    def locked() -> dict[str, tuple[str, bool]]:
        return {
            gate: (minor, value)
            for name, value in (("locked_on", True), ("locked_off", False))
            for gate, minor in by_gate(name).items()
        }

    return FeatureGates(
        removed=Unread(lambda: by_gate("removed")), added=Unread(lambda: by_gate("added")), locked=Unread(locked)
    )


def parse_ranges(table: Mapping[str, Any]) -> RangeFacts:
    """ranges.toml."""
    masks = {
        int(version): NodeMask(default=mask["default"], flags=tuple(mask["flags"]))
        for version, mask in table["node_mask"].items()
    }
    return RangeFacts(node_masks=masks, **table["kubeadm"])


def is_older(version: str, bound: str) -> bool:
    """Whether a dotted version comes before another, as far as the shorter one goes."""
    ours, theirs = parts(version), parts(bound)
    length = min(len(ours), len(theirs))
    return ours[:length] < theirs[:length]


def parts(version: str) -> tuple[int, ...]:
    """The numbers of a dotted version."""
    return tuple(int(part) for part in version.split("."))
