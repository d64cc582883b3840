"""Differences that are expected, each listed with its reason; a list that explains what is not there is stale."""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A pattern of paths, `*` and `?` within a folder and `**` across folders, and why they differ."""

    path: str
    reason: str
    sometimes: bool = False
    """Whether it is right that nothing matches now and then."""
    builders: tuple[str, ...] = ()
    """Bakes that have it; none named: all."""

    def matches(self, path: str) -> bool:
        parts = (re.escape(part).replace(r"\*", "[^/]*").replace(r"\?", "[^/]") for part in self.path.split("**"))
        return re.fullmatch(".*".join(parts), path) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What of the differences nobody explained, and what explains nothing."""

    unexplained: tuple[str, ...]
    stale: tuple[str, ...]


def load(file: Path, key: str, builder: str) -> tuple[Explanation, ...]:
    """The explanations of a kind that a file has for one builder."""
    entries = tomllib.loads(file.read_text(encoding="utf-8"))[key]
    found = (Explanation(**entry | {"builders": tuple(entry.get("builders", ()))}) for entry in entries)
    return tuple(each for each in found if not each.builders or builder in each.builders)


def judge(paths: Iterable[str], explanations: tuple[Explanation, ...]) -> Judgement:
    """Hold paths, absolute ones, against explanations."""
    found = sorted(paths)
    used = {each for each in explanations if any(each.matches(path) for path in found)}
    unexplained = tuple(path for path in found if not any(each.matches(path) for each in explanations))
    stale = tuple(each.path for each in explanations if each not in used and not each.sometimes)
    return Judgement(unexplained=unexplained, stale=stale)
