"""Blocks of commands in the pages of a runbook, by their names."""

from __future__ import annotations

import re
from collections.abc import Mapping

from imagegen.frozen import dataclass

_BLOCK = re.compile(r"(?ms)^```sh id=(?P<name>\S+) on=(?P<where>\S+)\n(?P<text>.*?)^```$")
SETTINGS = "settings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Commands, and where they run; `before`: the page up to them."""

    name: str
    where: str
    text: str
    before: str


def blocks(page: str) -> Mapping[str, Block]:
    """Every block of a page; a name that occurs twice is an error."""
    found = [
        Block(
            name=match["name"],
            where=match["where"],
            text=match["text"],
            before=page[: match.start()],
        )
        for match in _BLOCK.finditer(page)
    ]
    assert len(found) == page.count("\n```") // 2, "a fence of another form"
    named = {block.name: block for block in found}
    assert len(named) == len(found), "two blocks of one name"
    return named


def with_settings(text: str, settings: Mapping[str, str]) -> str:
    """A block of settings with other values, as an operator writes them in; all of them must be in it."""
    for name, value in settings.items():
        line = re.compile(rf"(?m)^((?:export )?{name}=).*$")
        assert len(line.findall(text)) == 1, name
        text = line.sub(rf"\g<1>{value}", text)
    return text
