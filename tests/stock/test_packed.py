"""First boot as stock machines have it: its whole suite, on the sources that are packed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from imagegen.images.shortening import shorten

ROOT = Path(__file__).parents[2]
FIRSTBOOT = ROOT / "packer/files/usr/local/lib/imagegen/firstboot"
# About the documentation and the sources, not about what the program does.
APART = "tests/firstboot/test_docs.py"


@pytest.mark.timeout(600)
def test_first_boot_passes_its_own_tests(tmp_path: Path) -> None:
    for path in FIRSTBOOT.rglob("*.py"):
        target = tmp_path / path.relative_to(FIRSTBOOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(shorten(path.read_text()))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/firstboot", f"--ignore={APART}"]
    environment = {**os.environ, "IMAGEGEN_FIRSTBOOT": str(tmp_path)}
    ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout[-4000:]
    assert " passed" in ended.stdout
    assert "skipped" not in ended.stdout
