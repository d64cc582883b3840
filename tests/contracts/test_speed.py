"""What nobody must wait for; `make bench` has the figures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from imagegen.document import parse_quickly
from tests.support.specs import EXAMPLES, run

ROOT = Path(__file__).parents[2]


def imported(program: str, modules: set[str]) -> list[str]:
    """Which of the modules a program has imported in the end."""
    program = f"import sys\n{program}\nprint('imported', *({modules!r} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=ROOT)
    return result.stdout.splitlines()[-1].split()[1:]


SLOW = {
    "cryptography",
    "cyclonedx",
    "jinja2",
    "jsonschema",
    "yaml",
    "rich",
    "hcl2",
    "pyrage",
    "imagegen.spec",
    "multiprocessing",
}


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_nothing_slow_is_imported(option: str) -> None:
    program = f"""
sys.argv = ["imagegen", {option!r}]
from imagegen.__main__ import main
try:
    main()
except SystemExit:
    pass"""
    assert imported(program, SLOW) == []


def test_a_render_without_mistakes_imports_nothing_that_explains_them(tmp_path: Path) -> None:
    bundle = tmp_path / "quickstart.secrets.yaml"
    assert run("secrets", "new", ROOT / "examples" / "quickstart.yaml", "--secrets", bundle).exit_code == 0
    arguments = ["render", "examples/quickstart.yaml", "--secrets", str(bundle), "--out", str(tmp_path / "out")]
    program = f"import imagegen.cli\nimagegen.cli.app({arguments!r}, standalone_mode=False)"
    assert imported(program, {"jsonschema", "rich", "hcl2", "concurrent.futures", "multiprocessing"}) == []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_a_usual_spec_is_read_by_libyaml(example: Path) -> None:
    assert parse_quickly(example.read_text(), example.name)
