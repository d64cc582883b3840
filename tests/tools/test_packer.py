"""Real Packer over the emitted folder; shellcheck and shfmt over its scripts."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from imagegen.secrets.keys import new_ssh_key
from tests.contracts.test_packer import ALICLOUD
from tests.support.specs import render, spec

pytestmark = pytest.mark.tools
PACKER = Path(__file__).parents[2] / "packer"
SCRIPTS = [*sorted((PACKER / "scripts").rglob("*.sh")), PACKER.parent / "stock/start.sh"]
CHECKSUM = "sha256:" + "0" * 64


def emitted(folder: Path, **more: object) -> Path:
    """An emitted folder, without the plugins file: Debian's Packer 1.6.6 knows no `required_plugins`."""
    image = {"alicloud": ALICLOUD, "qemu": {"source": "base.qcow2", "checksum": CHECKSUM}, **(more or {"bundle": {}})}
    tree = render(spec(provider={"type": "alicloud", "region": "cn-hangzhou"}, image=image)).tree
    prefix = "images/demo/packer/"
    for path, file in tree:
        if path.startswith(prefix) and not path.endswith("plugins.pkr.hcl"):
            target = folder / path.removeprefix(prefix)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.content)
    # Packer reads the key; the fake bundle's is none.
    (folder / "build-key").write_text(new_ssh_key("test").private)
    return folder


def validate(
    packer: str, folder: Path, builder: str, *variables: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    given = [word for variable in variables or ("bundle_dir=seed",) for word in ("-var", variable)]
    command = [packer, "validate", f"-only=imagegen.{builder}.node", *given, "."]
    clean: Mapping[str, str] = {"PATH": "/usr/bin:/bin", "HOME": str(folder), **environment}
    return subprocess.run(command, cwd=folder, env=dict(clean), capture_output=True, text=True, check=False)


def test_qemu_validates_without_anybody_s_credentials(tmp_path: Path, tool: Callable[[str], str]) -> None:
    result = validate(tool("packer"), emitted(tmp_path), "qemu")
    assert result.returncode == 0, result.stdout + result.stderr


def test_alicloud_validates(tmp_path: Path, tool: Callable[[str], str]) -> None:
    credentials = {"ALICLOUD_ACCESS_KEY": "none", "ALICLOUD_SECRET_KEY": "none"}
    result = validate(tool("packer"), emitted(tmp_path), "alicloud-ecs", **credentials)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("locked", [False, True])
@pytest.mark.parametrize("builder", ["qemu", "alicloud-ecs"])
def test_without_a_bundle_none_is_asked_for(
    tmp_path: Path, tool: Callable[[str], str], builder: str, locked: bool
) -> None:
    folder = emitted(tmp_path, source="packages")
    if locked:
        (folder / "lock.json").write_text("{}")
    credentials = {"ALICLOUD_ACCESS_KEY": "none", "ALICLOUD_SECRET_KEY": "none"}
    result = validate(tool("packer"), folder, builder, 'mirrors=["https://dl.k8s.io/=https://mirror/"]', **credentials)
    assert result.returncode == 0, result.stdout + result.stderr
    refused = validate(tool("packer"), folder, builder, 'mirrors=["https://dl.k8s.io/"]', **credentials)
    assert "is OLD=NEW" in refused.stdout + refused.stderr


def test_a_wrong_value_is_refused(tmp_path: Path, tool: Callable[[str], str]) -> None:
    folder = emitted(tmp_path)
    variables = folder / "demo.auto.pkrvars.json"
    variables.write_text(variables.read_text().replace(CHECKSUM, "none"))
    assert validate(tool("packer"), folder, "qemu").returncode != 0


def test_templates_are_formatted(tool: Callable[[str], str]) -> None:
    result = subprocess.run([tool("packer"), "fmt", "-check", "-diff", str(PACKER)], capture_output=True, check=False)
    assert result.returncode == 0, result.stdout.decode()


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_clean(script: Path, tool: Callable[[str], str]) -> None:
    for command in (
        [tool("shellcheck"), "--external-sources", str(script)],
        [tool("shfmt"), "-i", "2", "-ci", "-d", str(script)],
    ):
        result = subprocess.run(command, cwd=script.parent, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout
