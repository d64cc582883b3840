"""CI installs what the tests run."""

from __future__ import annotations

from pathlib import Path

from tests.support.programs import PACKAGES

ROOT = Path(__file__).parents[2]


def test_ci_installs_every_package_of_the_machine_tests() -> None:
    installed = set((ROOT / ".ci" / "run").read_text().split())
    programs = {"age", "cloud-init", "fish", "openssl", "shellcheck", "shfmt", "syslinux-common", "zsh"}
    assert set(PACKAGES.values()) | programs <= installed
