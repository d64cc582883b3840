"""Every declaration has a mutation, without a list of them that somebody would have to keep."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.mutations import (
    BY_KIND,
    OF_OTHER_FAMILIES,
    SETTINGS,
    SINGULAR,
    Drop,
    Ground,
    Mutation,
    Undo,
    checks_of,
    mutations,
    wrong,
)  # fmt: skip
from tests.cluster.rounds import grouped
from tests.support.specs import render, spec

sys.path.insert(0, str(Path(__file__).parents[2] / "packer" / "verify"))
from baked import checks, settings

IMAGES = "images/demo/packer"
# Only such images are baked without a network.
OFFLINE = spec(image={"os": "debian-12", "source": "bundle"})
BROUGHT = frozenset({"python3-yaml"})
NAMESPACED = frozenset({"net.ipv4.ip_forward", "net.bridge.bridge-nf-call-iptables"})


@pytest.fixture(scope="module")
def declared() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(render(OFFLINE).tree[f"{IMAGES}/declared.json"].content)
    return data


@pytest.fixture(scope="module")
def all_mutations(declared: dict[str, Any]) -> list[Mutation]:
    return list(mutations(declared, Ground(brought_along=BROUGHT, namespaced=NAMESPACED)))


def test_every_kind_that_is_declared_and_checked_is_mutated(declared: dict[str, Any]) -> None:
    # Modules are for a machine with a kernel of its own: tests/vm.
    checked = {*checks._KINDS, "packages", "holds"}  # noqa: SLF001
    assert set(declared) - {"family"} == checked == set(SINGULAR) == {*BY_KIND, "modules"}


def test_every_setting_that_can_be_read_can_be_dropped() -> None:
    assert {*SETTINGS, *OF_OTHER_FAMILIES} == set(settings.READERS)


def test_every_check_has_a_mutation_of_its_own(declared: dict[str, Any], all_mutations: list[Mutation]) -> None:
    proven = frozenset[tuple[str, str]]().union(*(mutation.own for mutation in all_mutations))
    assert {check for check in checks_of(declared) if check[0] != "module"} == proven


def test_a_new_declaration_is_mutated(declared: dict[str, Any]) -> None:
    more = declared | {"packages": [*declared["packages"], "tmux"], "sysctls": declared["sysctls"] | {"vm.new": "3"}}
    names = {mutation.name for mutation in mutations(more, Ground())}
    assert {"package tmux: not installed", "sysctl vm.new: another value"} <= names


def test_every_edit_finds_what_it_drops(all_mutations: list[Mutation], tmp_path: Path) -> None:
    tree = {
        path.removeprefix(f"{IMAGES}/"): file.content
        for path, file in render(OFFLINE).tree
        if path.startswith((f"{IMAGES}/files/", f"{IMAGES}/scripts/", f"{IMAGES}/image.env"))
    }
    for name, content in tree.items():
        _write(tmp_path / name, content)
    for mutation in all_mutations:
        if isinstance(mutation, Drop):
            mutation.edit(tmp_path)
            changed = [name for name, content in tree.items() if _size(tmp_path / name) != len(content)]
            assert len(changed) == 1, mutation.name
            _write(tmp_path / changed[0], tree[changed[0]])


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else -1


def test_no_two_mutations_that_are_made_together_share_a_check(all_mutations: list[Mutation]) -> None:
    bakes = grouped(all_mutations)
    together = [bake.dropped for bake in bakes] + [each.undone for bake in bakes for each in bake.rounds]
    assert sum(map(len, together)) == len(all_mutations)
    for group in together:
        own = [check for mutation in group for check in mutation.own]
        assert len(own) == len(set(own))
    for bake in bakes:
        undone = {check for each in bake.rounds for mutation in each.undone for check in mutation.own}
        assert not undone & bake.red


def test_of_each_kind_a_half_is_kept_where_the_other_is_dropped(
    declared: dict[str, Any], all_mutations: list[Mutation]
) -> None:
    one, other = (bake.red for bake in grouped(all_mutations))
    for kind in ("packages", "units", "files"):
        names = {(SINGULAR[kind], name) for name in declared[kind]}
        assert names & one - other, kind
        assert names & other - one, kind


@pytest.mark.parametrize(("value", "other"), [("0", "1"), ("1", "0"), ("10", "11"), ("30000 60000", "30001")])
def test_another_value(value: str, other: str) -> None:
    assert wrong(value) == other


def test_mutations_on_the_machine_are_taken_back(all_mutations: list[Mutation]) -> None:
    assert all(mutation.undo for mutation in all_mutations if isinstance(mutation, Undo))
