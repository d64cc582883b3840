"""docs/commands/ is what typer makes of the commands; examples there and in the README say what the program says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.support import pages
from tests.support.program import ROOT

FOLDER = ROOT / "docs" / "commands"
README = ROOT / "README.md"
EXAMPLES = "\n## Example"
# These begin with nothing but a spec; the others after secrets were made and everything was rendered.
FRESH = {"init", "secrets"}
# Blocks of the README that are no example of a command line, of what is shown the first line, and what runs them.
ELSEWHERE = {
    "pip install .            # '.[age]' for encrypted secrets bundles, '.[lock]' for lock and bundle": (
        "tests/contracts/test_wheel.py"
    ),
    "2 machines of systemd-nspawn from baked.raw": "tests/cluster/test_boot.py",
}


@pytest.fixture(scope="module")
def reference() -> dict[str, str]:
    return pages.reference()


@pytest.fixture
def run(tmp_path: Path) -> pages.Run:
    """A shell in a folder with the README's spec."""
    folder = tmp_path / "here"
    folder.mkdir()
    text = README.read_text().split("```yaml\n")[1].split("```")[0]
    (folder / "demo.yaml").write_text(text)
    return pages.shell(folder, tmp_path / "bin")


def hold(path: Path, made: str, request: pytest.FixtureRequest) -> None:
    """The file is what was made; or becomes it, if goldens are recorded."""
    if request.config.getoption("--update-golden"):
        path.write_text(made)
        pytest.fail("recorded; run again without --update-golden")
    assert path.read_text() == made


def page_names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.md") if path.stem != "README")


@pytest.mark.parametrize("name", page_names())
def test_a_page(name: str, reference: dict[str, str], run: pages.Run, request: pytest.FixtureRequest) -> None:
    path = FOLDER / f"{name}.md"
    _, mark, examples = path.read_text().partition(EXAMPLES)
    commands = pages.examples(examples)
    assert any(f"imagegen {name}" in command for command in commands), "a page has an example"
    if name not in FRESH:
        run("imagegen secrets new demo.yaml && imagegen render demo.yaml")
    hold(path, reference[name] + mark + pages.replayed(examples, run), request)


def test_the_index(reference: dict[str, str], request: pytest.FixtureRequest) -> None:
    assert page_names() == sorted(reference)
    text = (FOLDER / "README.md").read_text()
    table = re.search(r"(?m)(?:^\|.*\n)+", text)
    assert table
    hold(FOLDER / "README.md", text.replace(table[0], pages.index()), request)


def test_the_readme_s_examples(run: pages.Run, request: pytest.FixtureRequest) -> None:
    text = README.read_text()
    assert pages.examples(text)
    hold(README, pages.replayed(text, run), request)


def test_nothing_in_the_readme_is_run_by_nobody() -> None:
    text = README.read_text()
    fenced = re.findall(r"(?ms)^```(\w*)\n(.*?)^```$", text)
    # tests/contracts/test_schema.py checks these.
    assert {language for language, _ in fenced} == {"yaml", "text"}
    assert all(yaml.safe_load(block) for language, block in fenced if language == "yaml")
    shown = {block.partition("\n")[0] for language, block in fenced if language == "text"}
    indented = re.findall(r"(?m)(?:^ {4}\S.*\n)+", re.sub(r"(?ms)^```.*?^```$", "", text))
    others = {block.strip() for block in indented if not block.startswith("    $ ")}
    assert others | shown == set(ELSEWHERE)
    assert all((ROOT / path).exists() for path in ELSEWHERE.values())


def test_the_readme_names_every_command(reference: dict[str, str]) -> None:
    table = README.read_text().split("## Commands\n")[1].split("\n## ")[0]
    named = set(re.findall(r"`imagegen (\w+)", table))
    assert named == set(reference)
    options = set(re.findall(r"--[a-z][a-z-]*", table))
    known = set(re.findall(r"--[a-z][a-z-]*", "".join(reference.values()))) | {
        "--install-completion",
        "--show-completion",
    }
    assert options <= known


def test_links_lead_somewhere() -> None:
    for path in (*FOLDER.glob("*.md"), README, ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name}: {target}"
        for target in re.findall(r"`(docs/[\w./-]+)`", path.read_text()):
            assert (ROOT / target).exists(), f"{path.name}: {target}"
