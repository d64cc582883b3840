"""docs/faults.md has the table of faults that the tests run, and every row has its tests."""

from __future__ import annotations

import ast
import re

import pytest

from imagegen import assets
from tests.cluster.faults import FAULTS, Fault, table
from tests.support.program import ROOT

PAGE = ROOT / "docs" / "faults.md"
_TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)


def test_the_page_has_the_table(request: pytest.FixtureRequest) -> None:
    text = PAGE.read_text()
    if request.config.getoption("--update-golden"):
        PAGE.write_text(_TABLE.sub(lambda _: table(), text, count=1))
        pytest.fail("recorded; run again without --update-golden")
    found = _TABLE.search(text)
    assert found
    assert found[0] == table()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_what_it_says_is_known(fault: Fault) -> None:
    tables = assets.catalog().symptoms
    symptoms = {symptom.code for symptom in tables.symptoms}
    assert not fault.reason or fault.reason in tables.reasons
    assert fault.finding in {*tables.reasons, *tables.moments, *symptoms}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_it_has_its_tests_with_a_scripted_kubeadm(fault: Fault) -> None:
    assert fault.scripted
    for name in fault.scripted:
        file, _, function = name.partition("::")
        tree = ast.parse((ROOT / "tests/firstboot" / file).read_text())
        assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
