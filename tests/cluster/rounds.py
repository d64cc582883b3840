"""Many mutations in few bakes: which are made together, such that each check's redness has one cause."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.cluster.mutations import Check, Drop, Mutation, Undo

BAKES = 2


@dataclass(slots=True, kw_only=True)
class Round:
    """Steps undone together on a baked machine."""

    undone: list[Undo] = field(default_factory=list)

    def takes(self, mutation: Undo) -> bool:
        return all(_apart(mutation, other) for other in self.undone)


@dataclass(slots=True, kw_only=True)
class MutatedBake:
    """Steps that one bake leaves out, and the rounds that are held on its machine afterwards."""

    dropped: list[Drop] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)

    @property
    def red(self) -> frozenset[Check]:
        """What must be red when it is baked, and nothing else."""
        return frozenset().union(*(drop.own | drop.also for drop in self.dropped))

    def takes(self, mutation: Mutation) -> bool:
        if isinstance(mutation, Undo):
            # What it may make green must not be held to be red.
            return not (mutation.own | mutation.perhaps) & self.red
        return all(_apart(mutation, other) for other in self.dropped)

    def add(self, mutation: Mutation) -> None:
        if isinstance(mutation, Drop):
            self.dropped.append(mutation)
            return
        fitting = next((each for each in self.rounds if each.takes(mutation)), None)
        if fitting is None:
            self.rounds.append(fitting := Round())
        fitting.undone.append(mutation)


def grouped(mutations: Iterable[Mutation]) -> tuple[MutatedBake, ...]:
    """Spread mutations over bakes and rounds.

    Names are dealt out in turn: of each kind one half is left out in one bake and kept in the other, so that each
    check is seen red where its own step is missing and green where its neighbour's is.
    """
    bakes = tuple(MutatedBake() for _ in range(BAKES))
    waiting = sorted(mutations, key=lambda mutation: isinstance(mutation, Undo))
    names = sorted({_name(mutation) for mutation in waiting})
    groups: dict[str, MutatedBake] = {}
    for mutation in waiting:
        turn = names.index(_name(mutation)) % BAKES
        order = (*bakes[turn:], *bakes[:turn])
        group = mutation.group if isinstance(mutation, Drop) else ""
        candidates = (groups[group],) if group in groups else order
        bake = next((bake for bake in candidates if bake.takes(mutation)), None)
        if bake is None:
            raise ValueError(f"{mutation.name}: no bake is left in which it would be the one cause")
        bake.add(mutation)
        if group:
            groups[group] = bake
    return bakes


def _name(mutation: Mutation) -> str:
    return min(mutation.own)[1]


def _apart(one: Mutation, other: Mutation) -> bool:
    return not (one.own & _touched(other) or other.own & _touched(one))


def _touched(mutation: Mutation) -> frozenset[Check]:
    return mutation.own | mutation.also | (mutation.perhaps if isinstance(mutation, Undo) else frozenset())
