"""Real Packer over the emitted folder; shellcheck and shfmt over its scripts."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from imagegen.filetree import FileTree
from imagegen.secrets.keys import new_ssh_key
from tests.support.builders import BUILDERS, CASES, with_builder
from tests.support.keystone import keystone
from tests.support.old_packer import arguments_of, later_arguments, refused, without
from tests.support.specs import EXAMPLES, render, rendered_example

pytestmark = pytest.mark.tools
PACKER = Path(__file__).parents[2] / "packer"
SCRIPTS = [*sorted(PACKER.rglob("*.sh")), PACKER.parent / "stock/start.sh"]
CHECKSUM = CASES["qemu"].settings["checksum"]
LATER = later_arguments()


def write(tree: FileTree, prefix: str, folder: Path, *, later: bool = False) -> Path:
    """The emitted folder as Packer 1.6.6 can read it; `later`: with the arguments that it does not know."""
    for path, file in tree:
        if path.startswith(prefix) and not path.startswith(f"{prefix}plugins."):
            target = folder / path.removeprefix(prefix)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.content)
    for builder, names in LATER.items():
        template = folder / f"{CASES[builder].key}.pkr.hcl"
        if template.exists() and not later:
            template.write_text(without(template.read_text(), builder, set(names)))
    for variables in folder.glob("*.auto.pkrvars.json"):
        # The list of checksums of the usual base would be fetched.
        variables.write_text(re.sub(r'"file:https:[^"]*"', f'"{CHECKSUM}"', variables.read_text()))
    # Packer reads the key; the fake bundle's is none.
    (folder / "build-key").write_text(new_ssh_key("test").private)
    return folder


def emitted(builder: str, folder: Path, *, later: bool = False, **changed: Any) -> Path:
    if builder == "amazon-ebs":
        # 1.6.6 looks for the program that opens the way to AWS' session manager.
        changed = {"sessionManager": None, **changed}
    return write(render(with_builder(builder, **changed)).tree, "images/demo/packer/", folder, later=later)


@pytest.fixture(scope="module")
def environments() -> Iterator[dict[str, dict[str, str]]]:
    """The environment of each builder: its own credentials, and nobody else's."""
    with keystone() as address:
        made = {builder: dict(CASES[builder].environment) for builder in BUILDERS}
        made["openstack"]["OS_AUTH_URL"] = address
        yield made


def validate(
    packer: str, folder: Path, builder: str, environment: dict[str, str], *variables: str
) -> subprocess.CompletedProcess[str]:
    given = [word for variable in variables or ("bundle_dir=seed",) for word in ("-var", variable)]
    command = [packer, "validate", f"-only=imagegen.{builder}.node", *given, "."]
    clean = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "CHECKPOINT_DISABLE": "1", **environment}
    return subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("builder", BUILDERS)
def test_it_validates_with_its_own_credentials_alone(
    builder: str, tmp_path: Path, tool: Callable[[str], str], environments: dict[str, dict[str, str]]
) -> None:
    result = validate(tool("packer"), emitted(builder, tmp_path), builder, environments[builder])
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("builder", BUILDERS)
def test_qemu_validates_beside_it_without_credentials(builder: str, tmp_path: Path, tool: Callable[[str], str]) -> None:
    result = validate(tool("packer"), emitted(builder, tmp_path), "qemu", {})
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("builder", BUILDERS)
def test_what_this_packer_does_not_know_is_what_the_list_says(
    builder: str, tmp_path: Path, tool: Callable[[str], str], environments: dict[str, dict[str, str]]
) -> None:
    folder = emitted(builder, tmp_path, later=True)
    result = validate(tool("packer"), folder, builder, environments[builder])
    listed = set(LATER.get(builder, ()))
    assert refused(result.stdout + result.stderr) == listed
    assert listed <= arguments_of((folder / f"{CASES[builder].key}.pkr.hcl").read_text(), builder)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_every_example_validates(
    example: Path, tmp_path: Path, tool: Callable[[str], str], environments: dict[str, dict[str, str]]
) -> None:
    rendering = rendered_example(example)
    # What installs itself is not baked.
    for image in (image for image in rendering.plan.images if not image.stock):
        folder = write(rendering.tree, f"images/{image.name}/packer/", tmp_path / image.name)
        for builder in image.builders:
            result = validate(tool("packer"), folder, builder.type, environments[builder.type])
            assert result.returncode == 0, f"{image.name} {builder.type}: {result.stdout}{result.stderr}"


def test_google_cloud_s_labels_are_such(tmp_path: Path, tool: Callable[[str], str]) -> None:
    folder = emitted("googlecompute", tmp_path)
    command = [tool("packer"), "console", "."]
    question = "jsonencode(local.googlecompute_labels)"
    said = subprocess.run(command, cwd=folder, input=question, capture_output=True, text=True, check=True).stdout
    labels = json.loads(said.strip().splitlines()[-1])
    assert set(labels) == {f"imagegen-{name}" for name in ("image", "fingerprint", "kubernetes", "os")} | {"team"}
    assert all(re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", key) for key in labels)
    assert all(re.fullmatch(r"[a-z0-9_-]{0,63}", value) for value in labels.values())
    assert len(labels["imagegen-fingerprint"]) == 63


@pytest.mark.parametrize("locked", [False, True])
@pytest.mark.parametrize("builder", ["qemu", "alicloud-ecs"])
def test_without_a_bundle_none_is_asked_for(
    builder: str,
    locked: bool,
    tmp_path: Path,
    tool: Callable[[str], str],
    environments: dict[str, dict[str, str]],
) -> None:
    data = with_builder(builder)
    del data["image"]["bundle"]
    folder = write(render(data).tree, "images/demo/packer/", tmp_path)
    if locked:
        (folder / "lock.json").write_text("{}")
    mirrors = 'mirrors=["https://dl.k8s.io/=https://mirror/"]'
    result = validate(tool("packer"), folder, builder, environments[builder], mirrors)
    assert result.returncode == 0, result.stdout + result.stderr
    wrong = validate(tool("packer"), folder, builder, environments[builder], 'mirrors=["https://dl.k8s.io/"]')
    assert "is OLD=NEW" in wrong.stdout + wrong.stderr


def test_a_wrong_value_is_refused(tmp_path: Path, tool: Callable[[str], str]) -> None:
    folder = emitted("qemu", tmp_path)
    variables = folder / "demo.auto.pkrvars.json"
    variables.write_text(variables.read_text().replace(CHECKSUM, "none"))
    assert validate(tool("packer"), folder, "qemu", {}).returncode != 0


@pytest.mark.parametrize(
    ("builder", "variable"),
    [
        ("alicloud-ecs", "alicloud_security_group_id"),
        ("alicloud-ecs", "alicloud_vswitch_id"),
        ("amazon-ebs", "amazon_security_group_id"),
        ("amazon-ebs", "amazon_subnet_id"),
        ("googlecompute", "googlecompute_subnetwork"),
        ("azure-arm", "azure_virtual_network"),
    ],
)
def test_what_the_builder_would_make_itself_is_demanded(
    builder: str,
    variable: str,
    tmp_path: Path,
    tool: Callable[[str], str],
    environments: dict[str, dict[str, str]],
) -> None:
    folder = emitted(builder, tmp_path)
    environment = environments[builder] | {f"PKR_VAR_{variable}": ""}
    (folder / "demo.auto.pkrvars.json").write_text(
        (folder / "demo.auto.pkrvars.json").read_text().replace(f'"{variable}"', f'"{variable}_not"')
    )
    result = validate(tool("packer"), folder, builder, environment)
    assert result.returncode != 0
    assert "element" in result.stdout + result.stderr


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
