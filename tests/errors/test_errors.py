"""Every diagnostic, with its place: `<case>/cluster.yaml` beside what `imagegen validate` says of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from imagegen import assets
from tests.support.specs import run

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CASES = sorted(path.name for path in HERE.iterdir() if (path / "cluster.yaml").exists())


@pytest.mark.parametrize("case", CASES)
def test_case(case: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.chdir(HERE / case)
    result = run("validate", "cluster.yaml")
    said = HERE / case / "said.txt"
    if request.config.getoption("--update-golden"):
        said.write_text(result.stderr)
        pytest.fail("recorded; run again without --update-golden")
    assert result.stderr == said.read_text()
    assert result.exit_code == (1 if " error[" in f" {result.stderr}" else 0)


def test_every_code_has_a_case_and_a_line_in_the_documentation() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "imagegen").rglob("*.py"))
    codes = set(re.findall(r'"(IG[0-9]{3})"', sources))
    heard = "".join(path.read_text() for path in HERE.glob("*/said.txt"))
    said = {code: severity for severity, code in re.findall(r"(error|warning)\[(IG[0-9]{3})\]", heard)}
    pages = {code: page.title for code, page in assets.catalog().diagnostics.items()}
    table = (ROOT / "docs" / "diagnostics.md").read_text()
    rows = re.findall(r"^\| (IG[0-9]{3}) \| (\w+) \| (.+) \|$", table, re.MULTILINE)
    assert {code: title for code, _, title in rows} == pages
    severities = {code: severity for code, severity, _ in rows}
    assert {code: severities[code] for code in said} == said
    assert set(pages) == codes
    # The bundle's and the sizes' codes are not about a spec, and no system or runtime in the catalog is old enough for
    # three others: tests/unit has them.
    assert set(said) >= {code for code in codes if code < "IG300"} - {"IG241", "IG242", "IG243"}
