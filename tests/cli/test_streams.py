"""Pipes, closed streams, colours, and characters that a terminal would obey."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.support.program import ENVIRONMENT, PROGRAM, Outcome, read_terminal, run_alone, run_forked, start
from tests.support.specs import run, spec

WRONG = spec(kubernetes={"version": "1.99.0"})


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("demo.yaml").write_text(yaml.safe_dump(spec()))
    Path("wrong.yaml").write_text(yaml.safe_dump(WRONG))
    run("secrets", "new", "demo.yaml")
    return tmp_path


def on_terminal(*arguments: str, **environment: str) -> str:
    """What the program writes on standard error, where that is a terminal."""
    ours, theirs = pty.openpty()
    variables = {name: value for name, value in ENVIRONMENT.items() if name not in {"NO_COLOR", "TERM"}}
    process = start(*arguments, stderr=theirs, env=variables | {"TERM": "xterm"} | environment)
    os.close(theirs)
    written = read_terminal(ours)
    process.communicate()
    os.close(ours)
    return written.decode()


def test_a_terminal_gets_colours_unless_nobody_wants_them() -> None:
    assert "\x1b[1;31merror[IG201]\x1b[0m" in on_terminal("validate", "wrong.yaml")
    assert "\x1b[1;31m" in on_terminal("validate", "wrong.yaml", NO_COLOR="")
    for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        said = on_terminal("validate", "wrong.yaml", **environment)
        assert "error[IG201]" in said
        assert "\x1b" not in said


@pytest.mark.parametrize("arguments", ["--help", "validate wrong.yaml", "render demo.yaml", "frob", "explain IG204"])
def test_a_pipe_gets_no_colours(arguments: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    outcome = run_forked(*arguments.split())
    assert outcome.stdout + outcome.stderr
    assert "\x1b" not in outcome.stdout + outcome.stderr


def test_nothing_is_cut_to_fit_a_screen() -> None:
    Path("wrong.yaml").write_text(yaml.safe_dump(WRONG) + f"# {'long ' * 100}end\nfrob: {'x' * 300}\n")
    wide, narrow = (
        run_alone("validate", "wrong.yaml", env=ENVIRONMENT | {"COLUMNS": width}) for width in ("300", "40")
    )
    assert wide == narrow
    assert f"frob: {'x' * 300}\n" in narrow.stderr
    tables = [run_alone("render", "demo.yaml", env=ENVIRONMENT | {"COLUMNS": width}).stdout for width in ("300", "40")]
    assert len({table.splitlines()[0] for table in tables}) == 1


def with_deaf_reader(*arguments: str) -> Outcome:
    """The outcome where whoever reads standard output is gone before anything is written."""
    reader, writer = os.pipe()
    os.close(reader)
    outcome = run_forked(*arguments, stdout=writer)
    os.close(writer)
    return outcome


@pytest.mark.parametrize(
    "arguments",
    [
        "--help",
        "schema",
        "explain demo.yaml",
        "validate demo.yaml",
        "validate wrong.yaml --format json",
        "render demo.yaml",
        "token rotate demo.yaml --pool workers",
    ],
)
def test_a_reader_that_leaves_changes_nothing(arguments: str) -> None:
    heard, unheard = run_forked(*arguments.split()), with_deaf_reader(*arguments.split())
    assert (unheard.code, unheard.stderr) == (heard.code, heard.stderr)


def test_what_is_done_is_done_without_a_reader() -> None:
    with_deaf_reader("token", "rotate", "demo.yaml", "--pool", "workers")
    assert Path("out/demo/manifest.json").exists()
    assert Path("out/demo/tokens/workers.yaml").exists()


def test_head() -> None:
    script = 'set -o pipefail; "$@" | head -n 1; echo "${PIPESTATUS[0]}"'
    command = ["bash", "-c", script, "bash", *PROGRAM, "schema"]
    result = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, check=True)
    assert result.stdout == "{\n0\n"
    assert result.stderr == ""


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
@pytest.mark.parametrize("arguments", ["render demo.yaml", "validate wrong.yaml", "init new.yaml"])
def test_closed_streams(closed: str, arguments: str) -> None:
    wanted = 1 if "wrong" in arguments else 0
    command = ["bash", "-c", f'exec "$@" {closed}', "bash", *PROGRAM, *arguments.split()]
    result = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, check=False)
    assert (result.returncode, "Traceback" in result.stderr) == (wanted, False)
    if wanted == 0:
        # Nothing of what was said went into the files that took the place of the streams.
        assert run("validate", "new.yaml" if "init" in arguments else "demo.yaml").exit_code == 0


def test_what_a_terminal_would_obey_is_not_shown() -> None:
    Path("wrong.yaml").write_text(yaml.safe_dump(WRONG) + 'frob: "\\e]0;title\\a"\n\x85\u202eeman: 1\n')
    outcome = run_forked("validate", "wrong.yaml")
    assert outcome.code == 1
    assert not set("\x1b\x07\x85\u202e") & set(outcome.stderr)


def test_the_caret_stands_below_wide_characters() -> None:
    Path("wrong.yaml").write_text('{"集群": 1, "frob": 2}\n')
    lines = run_forked("validate", "wrong.yaml").stderr.splitlines()
    carets = {line.index("^") for line in lines if line.strip(" |") == "^"}
    columns = len('     1 | {"": 1, "') - 1 + 2 * len("集群")
    assert columns in carets


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_names_and_words_that_cannot_be_encoded(encoding: str) -> None:
    name = os.fsdecode("größe-\udcff.yaml".encode("utf-8", "surrogateescape"))
    Path(name).write_text(yaml.safe_dump(WRONG) + "größe: 集群\n", encoding="utf-8")
    outcome = run_alone("validate", name, env=ENVIRONMENT | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"})
    assert outcome.code == 1
    assert "Traceback" not in outcome.stderr
