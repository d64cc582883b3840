"""Bakes without Packer, of the folder that Packer bakes: two alike, and two in which every declared step is dropped."""

import json
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path

import pytest

from imagegen.lab import disk, lab
from tests.cluster import explained, mutated, seal, trees
from tests.cluster.bake import Baked
from tests.cluster.mutations import Check, Drop, checks_of
from tools import nspawn_bake
from tools.base import base
from tools.bundle import bundle
from tools.nspawn_bake import WORK, NspawnBake

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

HERE = Path(__file__).parent
PLANTING = f"python3 /{WORK}/planting.py"


@pytest.fixture(scope="module")
def supplies(baked: Baked) -> mutated.Supplies:
    (packer,) = baked.site.rendered.glob("images/*/packer")
    return mutated.Supplies(base=base(), bundle=bundle(), packer=packer)


@pytest.fixture(scope="module")
def bakery(supplies: mutated.Supplies, tmp_path_factory: pytest.TempPathFactory) -> Iterator[lab.Lab]:
    assert supplies.packer.is_dir()
    with lab.opened(tmp_path_factory.mktemp("bakes"), operator=IPv4Interface("10.80.0.1/24")) as opened:
        yield opened


@dataclass(frozen=True, slots=True, kw_only=True)
class Twins:
    """Two sealed disks of one folder, mounted; the second's seal met all that may be left behind, planted."""

    roots: tuple[Path, Path]
    made_by_planting: frozenset[str]
    left: tuple[str, ...]


@pytest.fixture(scope="module")
def twins(bakery: lab.Lab, supplies: mutated.Supplies, report: list[str]) -> Iterator[Twins]:
    started = time.monotonic()
    bakes = [
        nspawn_bake.prepared(bakery, name, base=supplies.base.disk, bundle=supplies.bundle, packer=supplies.packer)
        for name in ("one", "two")
    ]
    with ThreadPoolExecutor() as pool:
        list(pool.map(_bake, bakes))
    made = _plant(bakes[1])
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda each: each.run(nspawn_bake.SEAL), bakes))
    left = _look(bakes[1])
    disks = [each.finish(bakery.folder / f"{each.machine.name}.sealed") for each in bakes]
    report.append(f"two bakes without Packer: {time.monotonic() - started:.0f} s; {_seconds(bakes[0])}")
    with ExitStack() as mounts:
        one, two = (mounts.enter_context(disk.mounted(raw, raw.with_suffix(".root"), read_only=True)) for raw in disks)
        yield Twins(roots=(one, two), made_by_planting=made, left=left)
    for raw in disks:
        raw.unlink()


def _bake(bake: NspawnBake) -> None:
    bake.boot()
    bake.run_until("86")


def _plant(bake: NspawnBake) -> frozenset[str]:
    work = bake.machine.root / WORK
    shutil.copyfile(HERE / "planting.py", work / "planting.py")
    (work / "leftovers.json").write_text(json.dumps(seal.table(chroot=False)), encoding="utf-8")
    said = bake.machine.shell(f"{PLANTING} plant /{WORK}/leftovers.json").stdout
    return frozenset(json.loads(said))


def _look(bake: NspawnBake) -> tuple[str, ...]:
    """What the seal left; the look itself leaves no trace."""
    folder = bake.machine.root / "root/look"
    folder.mkdir()
    shutil.copyfile(HERE / "planting.py", folder / "planting.py")
    (folder / "leftovers.json").write_text(json.dumps(seal.table(chroot=False)), encoding="utf-8")
    said = bake.machine.shell("cd /root/look && python3 -B planting.py look leftovers.json").stdout
    shutil.rmtree(folder)
    return tuple(json.loads(said))


def _seconds(bake: NspawnBake) -> str:
    return ", ".join(f"{step.partition('-')[0]} {seconds:.1f}" for step, seconds in bake.seconds.items())


def test_the_seal_leaves_nothing_of_a_build_machine(twins: Twins) -> None:
    assert twins.left == ()


def test_two_bakes_of_one_lock_differ_by_what_is_explained(twins: Twins, report: list[str]) -> None:
    one, two = twins.roots
    paths = frozenset(f"/{path}" for path in trees.differences(one, two)) - twins.made_by_planting
    listed = explained.load(HERE / "bakes.toml", "file", "nspawn")
    report.append(f"two bakes of one lock differ in {len(paths)} paths, each explained in bakes.toml")
    assert explained.judge(paths, listed) == explained.Judgement(unexplained=(), stale=())


@pytest.fixture(scope="module")
def outcomes(
    bakery: lab.Lab, supplies: mutated.Supplies, tmp_path_factory: pytest.TempPathFactory, report: list[str]
) -> tuple[mutated.Outcome, ...]:
    started = time.monotonic()
    found = tuple(mutated.run(bakery, supplies, tmp_path_factory.mktemp("mutated")))
    count = sum(len(outcome.made) for outcome in found)
    report.append(f"{count} mutations in {len(found)} groups: {time.monotonic() - started:.0f} s")
    report += [f"  {each.where}: {len(each.made)} mutations, {len(each.red)} checks red" for each in found]
    return found


def test_each_dropped_step_turns_its_check_red_and_no_other(outcomes: tuple[mutated.Outcome, ...]) -> None:
    assert [line for outcome in outcomes for line in outcome.problems()] == []


def test_each_declaration_was_dropped(outcomes: tuple[mutated.Outcome, ...], supplies: mutated.Supplies) -> None:
    shown = frozenset[Check]().union(*(mutation.own for outcome in outcomes for mutation in outcome.made))
    declared = supplies.declared()
    assert shown == {check for check in checks_of(declared) if check[0] != "module"}
    dropped = sum(isinstance(each, Drop) for outcome in outcomes for each in outcome.made)
    assert dropped > len(declared["packages"]) + len(declared["units"]) + len(declared["files"])
