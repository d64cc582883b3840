"""kubeadm's own validation of every document, by the newest kubeadm and by the one before."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.conftest import missing
from tests.golden.test_golden import CASES
from tests.support.specs import render, spec
from tools import toolbox

pytestmark = pytest.mark.tools


def kubeadm(name: str) -> Path:
    """A built kubeadm; the test is skipped where `make tools` has not run, and fails in CI."""
    if not toolbox.is_built(toolbox.component_of(name)):
        missing(f"{name} (make tools)")
    return toolbox.path(name)


def validate(program: Path, document: str, path: Path) -> subprocess.CompletedProcess[str]:
    path.write_text(document)
    command = [str(program), "config", "validate", "--config", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def documents(data: dict[str, object]) -> list[str]:
    """Every kubeadm document of every role."""
    found = []
    for path, file in render(data).tree:
        if path.startswith("user-data/") and path.endswith(".yaml"):
            entries = yaml.safe_load(file.content)["write_files"]
            found += [entry["content"] for entry in entries if "/imagegen/kubeadm" in entry["path"]]
    return found


# A kubeadm takes its own minor and the one before: 1.36's stands in for the older ones, which read the same v1beta4.
# It reads v1beta3, too, as the last one.
OLDER = [f"1.{minor}" for minor in range(24, 35)]
READERS = {**dict.fromkeys(OLDER, "1.36.3"), "1.35": "", "1.36": "", "1.37": ""}


@pytest.mark.parametrize("minor", READERS)
def test_every_minor(minor: str, tmp_path: Path) -> None:
    program = kubeadm("kubeadm" if minor == "1.37" else "kubeadm-1.36")
    version = f"{minor}.2"
    for document in documents({**CASES["everything-1.37"], "kubernetes": {"version": version}}):
        text = document.replace(f"v{version}", f"v{READERS[minor]}") if READERS[minor] else document
        result = validate(program, text, tmp_path / "kubeadm.yaml")
        assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("case", [name for name in CASES if "1.3" not in name or "1.37" in name])
def test_every_golden(case: str, tmp_path: Path) -> None:
    for document in documents(CASES[case]):
        result = validate(kubeadm("kubeadm"), document, tmp_path / "kubeadm.yaml")
        assert result.returncode == 0, result.stderr


def test_the_check_can_fail(tmp_path: Path) -> None:
    document = documents(spec())[0].replace("serviceSubnet", "serviceSubnets")
    result = validate(kubeadm("kubeadm"), document, tmp_path / "kubeadm.yaml")
    assert result.returncode != 0
    assert "serviceSubnets" in result.stderr
