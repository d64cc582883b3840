"""Completion, asked for by the shells themselves."""

from __future__ import annotations

import os
import pty
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.support.program import ENVIRONMENT, PROGRAM, read_terminal
from tests.support.specs import spec

# Asks bash's own function for the words that fit the last one of a line.
BASH = """
eval "$(imagegen --show-completion)"
COMP_WORDS=({words})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_imagegen_completion imagegen
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
# Instead of a menu, what the menu is made of.
ZSH = """
autoload -Uz compinit; compinit -D -u
eval "$(imagegen --show-completion)"
_arguments() { print -r -- "$@" }
_files() { print -r -- files }
words=(@words@) CURRENT=$#words
_imagegen_completion
"""
FISH = "imagegen --show-completion | source; complete --do-complete @line@"
POOLS = {"nodePools": [{"name": "workers"}, {"name": "gpu"}]}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with the program on the path, and a folder with a spec whose pools come from another file."""
    binary = tmp_path / "bin" / "imagegen"
    binary.parent.mkdir()
    binary.write_text(f'#!/bin/sh\nexec {shlex.join(PROGRAM)} "$@"\n')
    binary.chmod(0o755)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", f"{binary.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    Path("base.yaml").write_text(yaml.safe_dump(POOLS))
    data = spec(extends=["base.yaml"])
    del data["nodePools"]
    Path("demo.yaml").write_text(yaml.safe_dump(data))
    return tmp_path


def ask(*command: str) -> list[str]:
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    assert result.stderr == ""
    return result.stdout.split()


SECRETS = ["new", "import", "check", "show", "encrypt", "decrypt", "trust", "distrust", "replace-ca"]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("imagegen re", ["render"]),
        ("imagegen secrets ''", SECRETS),
        ("imagegen render --", ["--out", "--secrets", "--identity", "--format", "--help"]),
        ("imagegen token rotate demo.yaml --pool ''", ["control-plane", "workers", "gpu"]),
        ("imagegen token renew demo.yaml --pool g", ["gpu"]),
        ("imagegen token renew absent.yaml --pool ''", ["control-plane"]),
        ("imagegen explain demo.yaml --role w", ["worker-workers", "worker-gpu"]),
        ("imagegen boot demo.yaml --node c", ["cp1"]),
        ("imagegen explain IG20", [f"IG20{number}" for number in range(1, 10)]),
        ("imagegen explain ig301", ["ig301"]),
        ("imagegen validate demo.yaml --format ''", ["text", "json"]),
        ("imagegen init --provider a", ["alicloud", "aws", "azure"]),
        ("imagegen init --kubernetes 1.37", ["1.37.2"]),
        # None of its own: bash offers files then.
        ("imagegen explain de", []),
        ("imagegen validate ''", []),
    ],
)
def test_bash(line: str, offered: list[str]) -> None:
    assert ask("bash", "-c", BASH.format(words=line)) == offered


def test_bash_knows_the_one_role_of_control_planes_that_are_alike() -> None:
    data = yaml.safe_load(Path("demo.yaml").read_text())
    data["controlPlane"]["userData"] = "shared"
    Path("demo.yaml").write_text(yaml.safe_dump(data))
    assert ask("bash", "-c", BASH.format(words="imagegen explain demo.yaml --role c")) == ["control-plane"]


def test_bash_completes_files_where_it_has_nothing_else() -> None:
    ours, theirs = pty.openpty()
    command = ["bash", "--noprofile", "--norc", "-i"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True) as process:
        os.close(theirs)
        os.write(ours, b'eval "$(imagegen --show-completion)"\nimagegen validate de\t\nexit\n')
        said = read_terminal(ours).decode()
        process.wait(timeout=30)
    os.close(ours)
    assert "demo.yaml: cluster `demo` is fine" in said


def test_installed_for_bash(home: Path) -> None:
    ask("bash", "-c", "imagegen --install-completion; true")
    assert (home / ".bash_completions" / "imagegen.sh").exists()
    assert "_imagegen_completion" in ask("bash", "-c", "source ~/.bashrc; complete -p imagegen")


@pytest.mark.tools
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("imagegen re", '"render"'),
        ("imagegen explain demo.yaml --role w", '"worker-gpu"'),
        ("imagegen render de", "files"),
    ],
)
def test_zsh(line: str, offered: str, tool: Callable[[str], str]) -> None:
    assert offered in " ".join(ask(tool("zsh"), "-f", "-c", ZSH.replace("@words@", line)))


@pytest.mark.tools
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("imagegen re", "render"),
        ("imagegen explain demo.yaml --role w", "worker-gpu"),
        ("imagegen render de", "demo.yaml"),
    ],
)
def test_fish(line: str, offered: str, tool: Callable[[str], str]) -> None:
    assert offered in ask(tool("fish"), "--no-config", "-c", FISH.replace("@line@", shlex.quote(line)))
