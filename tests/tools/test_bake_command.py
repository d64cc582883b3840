"""`imagegen bake` with the real Packer, as far as it goes without a base disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.support.specs import run, spec

pytestmark = pytest.mark.tools


def test_packer_is_asked_and_its_words_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: Callable[[str], str]
) -> None:
    tool("packer")
    monkeypatch.chdir(tmp_path)
    path = Path("demo.yaml")
    image = {"os": "debian-12", "qemu": {"source": "/nowhere/base.qcow2", "checksum": "sha256:" + "0" * 64}}
    path.write_text(yaml.safe_dump(spec(image=image)))
    run("secrets", "new", path)
    run("render", path)
    result = run("bake", path, "--bundle", tmp_path)
    assert result.exit_code == 3
    assert "packer: validate" in result.stderr
    assert "`packer build` ended with code 1" in result.stderr
    assert "/nowhere/base.qcow2" in (tmp_path / "out/demo/images/demo/packer/bake.log").read_text()
