"""What nobody must wait for; `make bench` has the figures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from imagegen.document import parse_quickly
from tests.support.specs import EXAMPLES, run

ROOT = Path(__file__).parents[2]


def told(program: str) -> list[str]:
    """The last words of a program."""
    result = subprocess.run(
        [sys.executable, "-c", f"import sys\n{program}"], check=True, capture_output=True, text=True, cwd=ROOT
    )
    return result.stdout.splitlines()[-1].split()[1:]


def imported(program: str, modules: set[str]) -> list[str]:
    """Which of the modules a program has imported in the end."""
    return told(f"{program}\nprint('imported', *({modules!r} & set(sys.modules)))")


@pytest.fixture
def render(tmp_path: Path) -> str:
    """A program that renders the quickstart."""
    bundle = tmp_path / "quickstart.secrets.yaml"
    assert run("secrets", "new", ROOT / "examples" / "quickstart.yaml", "--secrets", bundle).exit_code == 0
    arguments = ["render", "examples/quickstart.yaml", "--secrets", str(bundle), "--out", str(tmp_path / "out")]
    return f"import imagegen.cli\nimagegen.cli.app({arguments!r}, standalone_mode=False)"


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


def started(option: str) -> str:
    """A program that is `imagegen` with an option."""
    return f"""
sys.argv = ["imagegen", {option!r}]
from imagegen.__main__ import main
try:
    main()
except SystemExit:
    pass"""


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_nothing_slow_is_imported(option: str) -> None:
    assert imported(started(option), SLOW) == []


def test_nothing_is_searched_for_garbage() -> None:
    searches = (
        "import gc, imagegen.__main__; searches = []; gc.callbacks.append(lambda phase, _: searches.append(phase))"
    )
    # At the end Python searches all that is not frozen, and calls nobody.
    end = "print('searched', len(searches), gc.get_freeze_count() > len(gc.get_objects()))"
    assert told(f"{searches}{started('--version')}\n{end}") == ["0", "True"]


def test_a_render_without_mistakes_imports_nothing_that_explains_them(render: str) -> None:
    assert imported(render, {"jsonschema", "rich", "hcl2", "concurrent.futures", "multiprocessing"}) == []


def test_a_diagnosis_imports_nothing_of_specs(tmp_path: Path) -> None:
    log = tmp_path / "console.log"
    log.write_text("imagegen: phase=done status=ok seconds=0.0\n")
    diagnosis = f"import imagegen.cli\nimagegen.cli.app(['diagnose', {str(log)!r}], standalone_mode=False)"
    assert imported(diagnosis, SLOW | {"imagegen.plan", "imagegen.userdata"}) == []


def test_a_render_compiles_few_data_classes(render: str) -> None:
    # What `imagegen.frozen` makes is not compiled; these few are no records, or are filled by position.
    program = f"""{render}
classes = {{
    value
    for name, module in list(sys.modules.items()) if name.startswith("imagegen")
    for value in vars(module).values() if hasattr(value, "__dataclass_fields__") and isinstance(value, type)
}}
print("compiled", *(kind.__name__ for kind in classes if kind.__init__.__code__.co_filename == "<string>"))"""
    assert set(told(program)) <= {"Sought", "File", "Known", "Loading", "Locks", "_Index"}


def test_a_render_without_mistakes_reads_no_table_that_explains_them(render: str) -> None:
    program = f"""
import tomllib
read, loads = [], tomllib.loads
tomllib.loads = lambda text: read.append(text) or loads(text)
{render}
print("read", *(word for word in ("[IG001]", "locked_on", "kernel") if any(word in text for text in read)))"""
    assert told(program) == ["kernel"]


def test_a_render_asks_pyyaml_for_few_words(render: str) -> None:
    program = f"""
from imagegen import yaml_dump
asked, ask = [], yaml_dump.dump_by_library
yaml_dump.dump_by_library = lambda data: asked.append(data) or ask(data)
{render}
print("asked", *(type(data).__name__ for data in asked))"""
    # Addresses, durations and the like.
    assert told(program).count("str") < 30
    assert set(told(program)) == {"str"}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_a_usual_spec_is_read_by_libyaml(example: Path) -> None:
    assert parse_quickly(example.read_text(), example.name)
