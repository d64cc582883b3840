"""Pages with commands in them: the part that is generated, and examples that are run."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from typer.main import get_command

from imagegen.cli import app

# Fenced as `console`, or indented; its first line is a command.
_BLOCK = re.compile(r"(?ms)^```console\n(?P<fenced>\$ .*?)^```$|^(?P<indented> {4}\$ [^\n]*\n(?: {4}[^\n]*\n)*)")
_MASKS = (
    (re.compile(r"\b[0-9a-f]{12,}\b"), "H"),
    (re.compile(r"\b[a-z0-9]{6}\b"), "I"),
    (re.compile(r"[0-9][0-9,]*"), "N"),
    (re.compile(r" +"), " "),
)

Run = Callable[[str], str]


def reference() -> dict[str, str]:
    """What typer says of each command, as the beginning of its page."""
    command = [sys.executable, "-m", "typer", "imagegen.cli", "utils", "docs", "--name", "imagegen"]
    made = html.unescape(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    sections = re.split(r"(?m)^## `imagegen (\w+)`\n", made)[1:]
    # A group's list of commands is cut at a width, and each of them follows anyway.
    texts = (re.sub(r"(?ms)^\*\*Commands\*\*:\n\n(?:\* .*?\n)+\n", "", text) for text in sections[1::2])
    return {
        name: f"# imagegen {name}\n" + re.sub(r"(?m)^### `imagegen (.*)`$", r"## imagegen \1", text).rstrip() + "\n"
        for name, text in zip(sections[::2], texts, strict=True)
    }


def index() -> str:
    """A table of all commands, with the first sentence of each."""
    rows = []
    for name, command in getattr(get_command(app), "commands", {}).items():
        children = getattr(command, "commands", {})
        for child, each in children.items() if children else [("", command)]:
            words = f"{name} {child}".strip()
            rows.append(f"| [`imagegen {words}`]({name}.md) | {_first_line(each.help)} |\n")
    return "| Command | Does |\n|---|---|\n" + "".join(rows)


def _first_line(text: str | None) -> str:
    return (text or "").partition("\n")[0].strip()


def masked(text: str) -> str:
    """The text without what differs from bundle to bundle and day to day: hashes, ids, figures, widths of columns."""
    for pattern, word in _MASKS:
        text = pattern.sub(word, text)
    return text


def replayed(text: str, run: Run) -> str:
    """The page with every example run anew; an output that says the same is left as it stands."""
    return _BLOCK.sub(lambda match: _replayed_block(match, run), text)


def _replayed_block(match: re.Match[str], run: Run) -> str:
    fenced = match["fenced"] is not None
    body = match["fenced"] or re.sub(r"(?m)^ {4}", "", match["indented"])
    made = ""
    for step in re.split(r"(?m)^\$ ", body)[1:]:
        command, _, shown = step.partition("\n")
        output = run(command)
        made += f"$ {command}\n" + (shown if masked(shown) == masked(output) else output)
    return f"```console\n{made}```" if fenced else re.sub(r"(?m)^(?=.)", "    ", made)


def examples(text: str) -> list[str]:
    """The commands in a page's examples."""
    blocks = (match["fenced"] or match["indented"] for match in _BLOCK.finditer(text))
    return [line.strip().removeprefix("$ ") for block in blocks for line in block.splitlines() if "$ " in line[:6]]


def shell(folder: Path, binary: Path) -> Run:
    """Runs commands of a page in a folder; what they say on either stream comes back in order."""
    from tests.support.program import ENVIRONMENT, PROGRAM  # noqa: PLC0415  not needed to make a page

    binary.mkdir()
    program = binary / "imagegen"
    program.write_text(f'#!/bin/sh\nexec {PROGRAM[0]} {" ".join(PROGRAM[1:])} "$@"\n')
    program.chmod(0o755)
    # Pages show what would be run; nothing is baked for them.
    packer = binary / "packer"
    packer.write_text("#!/bin/sh\necho Packer v1.16.0\n")
    packer.chmod(0o755)
    environment = ENVIRONMENT | {"PATH": f"{binary}:{ENVIRONMENT['PATH']}"}

    def run(command: str) -> str:
        result = subprocess.run(
            ["bash", "-c", command],
            cwd=folder,
            env=environment,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert "Traceback" not in result.stdout
        return result.stdout

    return run
