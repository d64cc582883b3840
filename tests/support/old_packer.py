"""The emitted folder as Packer 1.6.6 can read it: without plugins, and without what came later."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

LATER = Path(__file__).parents[1] / "tools" / "packer-1.6.6.toml"
_SAID = re.compile(r'(?:An argument named|Blocks of type) "(\w+)" (?:is|are) not expected here')


def later_arguments() -> dict[str, dict[str, str]]:
    """What Packer 1.6.6 does not know, by builder: argument or block → the first release that does."""
    return tomllib.loads(LATER.read_text())


def refused(said: str) -> set[str]:
    """The arguments and blocks that Packer says it does not know."""
    return set(_SAID.findall(said))


def without(text: str, builder: str, names: set[str]) -> str:
    """A template whose source of this builder lacks the arguments and blocks of these names.

    The template is as `packer fmt` writes it: what belongs to a source begins two columns in, and all of it that stands
    on further lines is deeper, or closes it.
    """
    source, kept, dropping = False, [], False
    for line in text.splitlines(keepends=True):
        source = line.startswith(f'source "{builder}" ') or (source and not line.startswith("}"))
        begins = re.match(r"  (\w+)\b", line)
        if not source or not line.strip():
            dropping = False
        elif begins:
            dropping = begins[1] in names
        elif line.startswith("  #"):
            dropping = False
        if not dropping:
            kept.append(line)
    return "".join(kept)


def arguments_of(text: str, builder: str) -> set[str]:
    """The arguments and blocks of this builder's source in a template."""
    (body,) = re.findall(rf'^source "{builder}" .*?^}}', text, re.DOTALL | re.MULTILINE)
    return set(re.findall(r"^  (\w+)\b", body, re.MULTILINE))
