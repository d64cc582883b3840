"""Mutations run: few bakes with steps left out, rounds of steps undone on their machines, and what was red."""

import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imagegen.lab import sysctls
from imagegen.lab.lab import Lab
from tests.cluster.difference import needs
from tests.cluster.mutations import Check, Ground, Mutation, Undo, mutations
from tests.cluster.rounds import MutatedBake, grouped
from tools import nspawn_bake
from tools.base import Base
from tools.nspawn_bake import WORK, NspawnBake

VERIFY = f"python3 /{WORK}/verify image /{WORK}/declared.json /{nspawn_bake.REPORT}"
"""The checks as script 80 makes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Mutations that were made together, and the checks that were red, with what they found."""

    where: str
    made: tuple[Mutation, ...]
    expected: frozenset[Check]
    perhaps: frozenset[Check]
    red: dict[Check, str]

    def problems(self) -> list[str]:
        """Checks that are not as the mutations must make them."""
        red = frozenset(self.red)
        return [
            *(f"{self.where}: {kind} {name} is green" for kind, name in sorted(self.expected - red)),
            *(
                f"{self.where}: {kind} {name} is red: {self.red[kind, name]}"
                for kind, name in sorted(red - self.expected - self.perhaps)
            ),
            *(
                f"{self.where}: {mutation.name}: found {self.red[check]}"
                for mutation in self.made
                if isinstance(mutation, Undo)
                for check in mutation.own & red
                if mutation.found not in self.red[check]
            ),
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Supplies:
    """What every bake of an image is made from."""

    base: Base
    bundle: Path
    packer: Path

    def declared(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads((self.packer / "declared.json").read_text(encoding="utf-8"))
        return data

    def ground(self) -> Ground:
        """What is known beforehand of the base, the bundle and the host."""
        declared = self.declared()
        files = json.loads((self.bundle / "bundle.json").read_text(encoding="utf-8"))["files"]
        in_base = frozenset(
            line.removeprefix("Package: ").strip()
            for line in self.base.installed.read_text(encoding="utf-8").splitlines()
            if line.startswith("Package: ")
        )
        return Ground(
            brought_along=in_base | _needed(declared["packages"], self.bundle / "packages"),
            namespaced=frozenset(key for key in declared["sysctls"] if key.replace(".", "/") not in sysctls.SHARED),
            archives={file["name"]: file["path"] for file in files if file["kind"] == "image"},
        )


def run(lab: Lab, supplies: Supplies, folder: Path) -> Iterator[Outcome]:
    """Bake with the mutations that can be left out, all bakes at once; then hold each machine's rounds, one by one."""
    bakes = grouped(mutations(supplies.declared(), supplies.ground()))
    given = "\n".join(drop.given for bake in bakes for drop in bake.dropped if drop.given)
    machines = [_prepared(lab, supplies, bake, folder / f"mutated-{number}") for number, bake in enumerate(bakes)]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda machine: _bake(machine, given), machines))
    for number, (bake, machine) in enumerate(zip(bakes, machines, strict=True)):
        yield _outcome(machine, f"bake {number}", bake.dropped, bake.red)
        for index, each in enumerate(bake.rounds):
            yield _round(machine, f"bake {number}, round {index}", each.undone, bake.red)
        machine.machine.power_cut()


def _prepared(lab: Lab, supplies: Supplies, bake: MutatedBake, folder: Path) -> NspawnBake:
    shutil.copytree(supplies.packer, folder)
    for drop in bake.dropped:
        drop.edit(folder)
    return nspawn_bake.prepared(lab, folder.name, base=supplies.base.disk, bundle=supplies.bundle, packer=folder)


def _bake(bake: NspawnBake, given: str) -> None:
    bake.boot()
    bake.machine.shell(f"set -e\n{given}")
    bake.run_until("80")


def _round(bake: NspawnBake, where: str, undone: Iterable[Undo], red: frozenset[Check]) -> Outcome:
    bake.machine.shell("set -e\n" + "\n".join(mutation.do for mutation in undone))
    bake.machine.shell(VERIFY)
    outcome = _outcome(bake, where, undone, red)
    bake.machine.shell("set -e\n" + "\n".join(mutation.undo for mutation in undone))
    return outcome


def _outcome(bake: NspawnBake, where: str, made: Iterable[Mutation], red: frozenset[Check]) -> Outcome:
    made = tuple(made)
    failed = {
        (check["kind"], check["name"]): check["found"] for check in bake.report()["checks"] if not check["passed"]
    }
    return Outcome(
        where=where,
        made=made,
        expected=red.union(*(mutation.own | mutation.also for mutation in made)),
        perhaps=frozenset().union(*(mutation.perhaps for mutation in made if isinstance(mutation, Undo))),
        red=failed,
    )


def _needed(declared: list[str], packages: Path) -> frozenset[str]:
    """Declared packages that come along with another declared one."""
    command = ["dpkg-deb", "--show", "--showformat", "${Package}\t${Depends},${Pre-Depends}"]
    shown = [
        subprocess.run([*command, deb], capture_output=True, text=True, check=True).stdout.split("\t")
        for deb in sorted(packages.glob("*.deb"))
    ]
    direct = {name: needs(depends) for name, depends in shown}
    return frozenset(name for other in declared for name in declared if name in _closure(other, direct) - {other})


def _closure(name: str, direct: dict[str, list[str]]) -> set[str]:
    found, waiting = set[str](), [name]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += direct.get(each, [])
    return found
