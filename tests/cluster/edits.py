"""Edits of an emitted image folder, each of which leaves one step of the bake out."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

SCRIPTS = "scripts/"
FILES = "files"


def without_word(variable: str, word: str) -> Callable[[Path], None]:
    """Take a word out of one of image.env's lists."""

    def edit(packer: Path) -> None:
        environment = packer / "image.env"
        lines = environment.read_text(encoding="utf-8").splitlines()
        environment.write_text("".join(f"{_without(line, variable, word)}\n" for line in lines), encoding="utf-8")

    return edit


def _without(line: str, variable: str, word: str) -> str:
    key, _, value = line.partition("=")
    if key != variable:
        return line
    words = " ".join(shlex.split(value)).split()
    words.remove(word)
    return f"{key}={shlex.quote(' '.join(words))}"


def without_file(path: str) -> Callable[[Path], None]:
    """Take a file out of those that are installed."""
    return lambda packer: (packer / f"{FILES}{path}").unlink()


def one_byte_more(path: str) -> Callable[[Path], None]:
    """Let a file that is installed end with one more line end."""

    def edit(packer: Path) -> None:
        with (packer / f"{FILES}{path}").open("ab") as file:
            file.write(b"\n")

    return edit


def replaced(path: str, pattern: re.Pattern[str], new: str) -> Callable[[Path], None]:
    """Replace what must be found once in a file of the emitted folder."""

    def edit(packer: Path) -> None:
        text, count = pattern.subn(new, (packer / path).read_text(encoding="utf-8"))
        assert count == 1, f"{pattern.pattern!r} is {count} times in {path}"
        (packer / path).write_text(text, encoding="utf-8")

    return edit
