"""docs/commands.md is what typer makes of the commands."""

from __future__ import annotations

import html
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"


def test_the_page_is_the_commands_own(request: pytest.FixtureRequest) -> None:
    command = [sys.executable, "-m", "typer", "imagegen.cli", "utils", "docs", "--name", "imagegen"]
    made = html.unescape(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    if request.config.getoption("--update-golden"):
        PAGE.write_text(made)
        pytest.fail("recorded; run again without --update-golden")
    assert PAGE.read_text() == made
