"""What lines of a node's log mean."""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from imagegen.frozen import dataclass


class Place(StrEnum):
    """Where a sign counts: in what kubeadm said in a failed try, or anywhere in the last boot."""

    KUBEADM = "kubeadm"
    CONSOLE = "console"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonFacts:
    """What a reason code of first boot means; `causes`: what looks the same from the node, none where it is sure."""

    meaning: str
    causes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SymptomFacts:
    """What a line tells.

    `likely`: it is no more than a usual sign of it; `grave`: wrong even where the node is done; `vague`: only where
    nothing else fits.
    """

    code: str
    place: Place
    sign: re.Pattern[str]
    title: str
    next: str
    causes: tuple[str, ...]
    likely: bool
    grave: bool
    vague: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MomentFacts:
    """Where a boot is, as far as the log goes."""

    code: str
    title: str
    next: str
    causes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageFacts:
    """How far a boot came in which first boot has said nothing; `sign`: what shows that it came here."""

    sign: re.Pattern[str]
    moment: MomentFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class SymptomTables:
    """All of them; `wrappings` and `identities`: keys of the JSON that clouds put around a console."""

    reasons: Mapping[str, ReasonFacts]
    symptoms: tuple[SymptomFacts, ...]
    stages: tuple[StageFacts, ...]
    moments: Mapping[str, MomentFacts]
    wrappings: tuple[str, ...]
    identities: tuple[str, ...]


def parse_symptoms(tables: Mapping[str, Any]) -> SymptomTables:
    """Make the facts of their TOML file."""
    return SymptomTables(
        reasons={
            code: ReasonFacts(meaning=facts["meaning"], causes=tuple(facts.get("causes", ())))
            for code, facts in tables["reasons"].items()
        },
        symptoms=tuple(_symptom(facts) for facts in tables["symptoms"]),
        stages=tuple(
            StageFacts(sign=_pattern([facts["sign"]]), moment=_moment(facts["code"], facts))
            for facts in tables["stages"]
        ),
        moments={code: _moment(code, facts) for code, facts in tables["moments"].items()},
        wrappings=tuple(tables["wrappings"]["text"]),
        identities=tuple(tables["wrappings"]["identity"]),
    )


def _symptom(facts: Mapping[str, Any]) -> SymptomFacts:
    return SymptomFacts(
        code=facts["code"],
        place=Place(facts["in"]),
        sign=_pattern(facts["signs"]),
        title=facts["title"],
        next=facts["next"],
        causes=tuple(facts.get("causes", ())),
        likely=facts.get("likely", False),
        grave=facts.get("grave", False),
        vague=facts.get("vague", False),
    )


def _moment(code: str, facts: Mapping[str, Any]) -> MomentFacts:
    return MomentFacts(code=code, title=facts["title"], next=facts["next"], causes=tuple(facts.get("causes", ())))


def _pattern(signs: Iterable[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{sign})" for sign in signs), re.MULTILINE)
