"""The same spec, bundle and version give the same bytes, whatever the surroundings."""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.specs import run

ROOT = Path(__file__).parents[2]
SURROUNDINGS = (
    {"TZ": "UTC", "LC_ALL": "C", "PYTHONHASHSEED": "0", "COLUMNS": "40"},
    {"TZ": "Asia/Shanghai", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1", "NO_COLOR": "1"},
    {"TZ": "America/St_Johns", "LC_ALL": "POSIX", "PYTHONHASHSEED": "2", "SOURCE_DATE_EPOCH": "1"},
)


def rendered(
    spec: Path, secrets: Path, out: Path, surroundings: dict[str, str], umask: int
) -> dict[str, tuple[int, str]]:
    """Mode and hash of every file that a render leaves."""
    command = [sys.executable, "-m", "imagegen", "render", str(spec), "--secrets", str(secrets), "--out", str(out)]
    environment = {"PATH": os.environ["PATH"], "HOME": str(out), **surroundings}
    subprocess.run(command, check=True, capture_output=True, env=environment, cwd=ROOT, umask=umask)
    files = (path for path in sorted(out.rglob("*")) if path.is_file())
    return {
        path.relative_to(out).as_posix(): (path.stat().st_mode, sha256(path.read_bytes()).hexdigest()) for path in files
    }


@pytest.mark.parametrize("example", ["quickstart", "ecs-ha"])
def test_same_bytes(example: str, tmp_path: Path) -> None:
    spec, secrets = ROOT / "examples" / f"{example}.yaml", tmp_path / "secrets.yaml"
    assert run("secrets", "new", spec, "--secrets", secrets).exit_code == 0
    trees = [
        rendered(spec, secrets, tmp_path / str(number), surroundings, umask)
        for number, (surroundings, umask) in enumerate(zip(SURROUNDINGS, (0o022, 0o077, 0o000), strict=True))
    ]
    assert trees[0]
    assert trees[1] == trees[0]
    assert trees[2] == trees[0]
