"""Each check of the bake is red on the base disk, before any step was done: none of them passes by itself."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from imagegen.lab import disk
from tests.cluster.bake import Baked
from tools.base import base

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]

# About a kernel that runs: `make vm-test` looks for them on the booted image.
OF_THE_KERNEL = ("module", "sysctl")
# What the base brings along. These steps keep it so, and their checks would not see that a step is missing.
BROUGHT_ALONG = {("package", "python3-yaml"), ("setting", "swap")}


@pytest.fixture(scope="module")
def checks(baked: Baked, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the bake's own verification says of the base."""
    folder = tmp_path_factory.mktemp("base")
    (packer,) = baked.site.rendered.glob("images/*/packer")
    raw = disk.copy_raw(base().disk, folder / "base.raw")
    with disk.mounted(raw, folder / "root") as root:
        work = root / "var/tmp/declared"
        shutil.copytree(packer / "verify", work / "verify")
        shutil.copyfile(packer / "declared.json", work / "declared.json")
        inside = "/" + str(work.relative_to(root))
        command = ["chroot", str(root), "python3", f"{inside}/verify", "image", f"{inside}/declared.json"]
        subprocess.run([*command, f"{inside}/report.json"], check=True, timeout=300)
        report: dict[str, Any] = json.loads((work / "report.json").read_text())
    Path(raw).unlink()
    found: list[dict[str, Any]] = report["checks"]
    return found


def test_every_declaration_is_checked(checks: list[dict[str, Any]]) -> None:
    kinds = {check["kind"] for check in checks}
    assert kinds >= {"package", "binary", "unit", "file", "content", "image", "setting"}
    assert len(checks) > 100


def test_nothing_passes_by_itself(checks: list[dict[str, Any]]) -> None:
    passed = {(check["kind"], check["name"]) for check in checks if check["passed"]}
    assert {entry for entry in passed if entry[0] not in OF_THE_KERNEL} == BROUGHT_ALONG
