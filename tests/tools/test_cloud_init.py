"""cloud-init's own schema check over every golden, and its own parser over every form."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.specs import render, spec

pytestmark = pytest.mark.tools
GOLDENS = sorted((Path(__file__).parents[1] / "golden").glob("*/*.yaml"))


def verdict(program: str, path: Path) -> str:
    result = subprocess.run([program, "schema", "-c", str(path)], capture_output=True, text=True, check=False)
    return result.stdout + result.stderr


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_user_data_is_valid(golden: Path, tool: Callable[[str], str]) -> None:
    assert "Valid" in verdict(tool("cloud-init"), golden)


def test_the_build_machine_s_seed_is_valid(tmp_path: Path, tool: Callable[[str], str]) -> None:
    path = tmp_path / "user-data"
    path.write_bytes(render(spec()).tree["images/demo/packer/seed/user-data"].content)
    assert "Valid" in verdict(tool("cloud-init"), path)


def test_the_check_can_fail(tmp_path: Path, tool: Callable[[str], str]) -> None:
    path = tmp_path / "user-data"
    path.write_text("#cloud-config\nwrite_files:\n  - {path: /x, contents: y}\n")
    assert "Valid" not in verdict(tool("cloud-init"), path)
