"""What imagegen emits for Packer is what the templates ask for."""

from __future__ import annotations

import io
import json
import re
import shlex
from pathlib import Path
from typing import Any

import hcl2
import pytest

from tests.support.specs import render, spec

ROOT = Path(__file__).parents[2]
PACKER = ROOT / "packer"
ALICLOUD = {
    "sourceImage": "debian_12_13_x64_20G_alibase_20260801.vhd",
    "instanceType": "ecs.g7.large",
    "vpc": "vpc-bp1abc",
    "vswitch": "vsw-bp1abc",
    "securityGroup": "sg-bp1abc",
}
FOLDER = "images/demo/packer"


def declared_variables() -> dict[str, dict[str, Any]]:
    """The variables of the templates, by name."""
    parsed = hcl2.load(io.StringIO((PACKER / "variables.pkr.hcl").read_text()))
    return {name.strip('"'): body for block in parsed["variable"] for name, body in block.items()}


def emitted() -> Any:
    return render(spec(provider={"type": "alicloud", "region": "cn-hangzhou"}, image={"alicloud": ALICLOUD})).tree


def test_every_emitted_variable_is_declared() -> None:
    values = json.loads(emitted()[f"{FOLDER}/demo.auto.pkrvars.json"].content)
    assert set(values) <= set(declared_variables())


def test_every_variable_without_a_default_is_emitted() -> None:
    values = json.loads(emitted()[f"{FOLDER}/demo.auto.pkrvars.json"].content)
    required = {name for name, body in declared_variables().items() if "default" not in body}
    assert required <= set(values)


@pytest.mark.parametrize("name", sorted(declared_variables()))
def test_every_variable_is_typed_and_described(name: str) -> None:
    body = declared_variables()[name]
    assert "type" in body
    assert "description" in body


def test_every_setting_a_script_reads_is_emitted() -> None:
    text = emitted()[f"{FOLDER}/image.env"].content.decode()
    settings = {line.partition("=")[0] for line in text.splitlines()}
    assert all(len(shlex.split(line)) == 1 for line in text.splitlines())
    scripts = "".join(path.read_text() for path in (PACKER / "scripts").glob("*.sh"))
    known = "|".join(sorted(settings))
    assert set(re.findall(rf"\$\{{?({known})\b", scripts)), "no script reads any setting"


def test_no_template_interpolation_in_inline_commands() -> None:
    # Packer would replace it in silence: `{{ .Foo }}` becomes `<no value>`.
    for path in PACKER.glob("*.pkr.hcl"):
        for block in re.findall(r"inline\s*=\s*\[(.*?)\]", path.read_text(), re.DOTALL):
            assert "{{" not in block, path.name


def test_alicloud_never_opens_its_own_security_group() -> None:
    values = json.loads(emitted()[f"{FOLDER}/demo.auto.pkrvars.json"].content)
    assert values["alicloud_security_group_id"] == "sg-bp1abc"
    assert values["alicloud_public_ip"] is False
