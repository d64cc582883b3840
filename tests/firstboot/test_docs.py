"""docs/first-boot.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from bootstrap.hooks import HOOK_LIMIT
from bootstrap.kubeadm import COMMAND_LIMIT
from bootstrap.phases import CONTROL_PLANES, JOIN_MODE, PHASES, ROLES, Phase
from bootstrap.program import FINAL
from bootstrap.reasons import NEXT_STEPS
from bootstrap.report import LINE_EVERY
from bootstrap.table import RUN
from bootstrap.turn import APART, PLACES
from upkeep import reasons as upkeep

from imagegen import assets

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs/first-boot.md").read_text()
UNIT = (ROOT / "packer/files/etc/systemd/system/imagegen-bootstrap.service").read_text()
PROGRAM = ROOT / "packer/files/usr/local/lib/imagegen/firstboot"


def rows(heading: str) -> list[list[str]]:
    """The first table after a heading, without its head."""
    section = re.split(rf"(?m)^#+ {heading}$", DOC)[1]
    table = re.search(r"(?m)(?:^\|.*\n)+", section)
    assert table
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in table[0].splitlines()[2:]]


def described(phase: Phase) -> list[str]:
    joins = phase.modes == {JOIN_MODE}
    everybody = "all that join" if joins else "all"
    planes = "control planes that join" if joins else "control planes"
    roles = {ROLES: everybody, CONTROL_PLANES: planes}.get(phase.roles) or ", ".join(phase.roles)
    limit = f"{phase.limit:.0f} s" if phase.limit else "-"
    return [f"`{phase.name}`", roles, phase.until, limit, phase.at_limit if phase.limit else "-", phase.does]


def test_table_of_phases() -> None:
    assert rows("The phases") == [described(phase) for phase in PHASES]


def test_the_command_line_reads_the_same_phases() -> None:
    told = [(phase.name, phase.does, phase.roles, phase.modes, phase.limit) for phase in assets.phases()]
    assert told == [(phase.name, phase.does, phase.roles, phase.modes, phase.limit) for phase in PHASES]


def test_every_phase_runs_something_and_nothing_else_does() -> None:
    assert list(RUN) == [phase.name for phase in PHASES]


def test_table_of_reasons() -> None:
    told = {code.strip("`"): meaning for code, _, meaning in rows("Reasons")}
    assert list(told) == sorted(NEXT_STEPS)
    assert all(NEXT_STEPS.values())
    assert told == {code: facts.meaning for code, facts in assets.catalog().symptoms.reasons.items()}


def test_the_command_line_says_the_same_next_steps() -> None:
    assert assets.next_steps() == NEXT_STEPS


@pytest.mark.parametrize("name", ["phases", "reasons", "masking"])
def test_what_the_command_line_reads_imports_nothing_of_the_program(name: str) -> None:
    code = (PROGRAM / f"bootstrap/{name}.py").read_text()
    assert not re.search(r"(?m)^\s*(from|import) bootstrap", code)


def test_every_reason_is_used_somewhere() -> None:
    sources = [*PROGRAM.rglob("*.py"), *(ROOT / "stock").rglob("*.py")]
    code = "".join(path.read_text() for path in sources if path.name != "reasons.py")
    code = code.replace('f"{what}-file-missing"', '"image-file-missing" "node-file-missing"')
    code = code.replace('f"{what}-file-invalid"', '"image-file-invalid" "node-file-invalid"')
    assert [reason for reason in NEXT_STEPS if f'"{reason}"' not in code] == []


def test_figures() -> None:
    assert f"ended after {COMMAND_LIMIT / 60:.0f} minutes" in DOC
    assert f"one is ended after {HOOK_LIMIT / 60:.0f} minutes" in DOC
    assert f"every {LINE_EVERY:.0f} seconds" in DOC
    assert f"exit code {FINAL}" in DOC


def test_places_in_the_row() -> None:
    assert f"up to {(PLACES - 1) * APART} s, {APART} s apart" in DOC


def test_a_final_failure_is_final_for_the_service() -> None:
    assert f"\nRestartPreventExitStatus={FINAL}\n" in UNIT


def test_service_waits_for_no_unit_that_waits_for_it() -> None:
    order = {name for line in re.findall(r"(?m)^After=(.*)$", UNIT) for name in line.split()}
    assert {"cloud-init.service", "cloud-init-network.service", "containerd.service"} <= order
    assert not order & {"cloud-final.service", "cloud-init.target", "multi-user.target"}


def test_program_is_where_the_service_looks() -> None:
    assert "\nExecStart=/usr/bin/python3 /usr/local/lib/imagegen/firstboot\n" in UNIT
    assert (PROGRAM / "__main__.py").is_file()


def test_table_of_the_reasons_of_upkeep() -> None:
    page = (ROOT / "docs/afterwards.md").read_text()
    told = re.findall(r"(?m)^\| `([a-z-]+)` \| (?:ok|waiting|failed)(?:, (?:ok|waiting|failed))* \| \S.*\|$", page)
    assert told == sorted(upkeep.NEXT_STEPS)
    code = "".join(path.read_text() for path in (PROGRAM / "upkeep").glob("*.py") if path.name != "reasons.py")
    assert [reason for reason in upkeep.NEXT_STEPS if f'"{reason}"' not in code] == []
