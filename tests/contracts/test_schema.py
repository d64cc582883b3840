"""The schema, the spec's dataclasses and the examples hold together."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import yaml
from jsonschema import Draft202012Validator

from imagegen import assets, pipeline, spec
from imagegen.cli.common import load_assets
from imagegen.spec import field_name
from tests.support.specs import EXAMPLES, SPEC, run

ROOT = Path(__file__).parents[2]
SCHEMA = assets.schema()


def resolve(node: dict[str, Any]) -> dict[str, Any]:
    """The node with what its `$ref` names, its own words first."""
    reference = node.get("$ref")
    return {**SCHEMA["$defs"][reference.rpartition("/")[2]], **node} if reference else node


def properties(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property below a node, by path."""
    node = resolve(node)
    for name, child in node.get("properties", {}).items():
        yield f"{path}.{name}", resolve(child)
        yield from properties(child, f"{path}.{name}")
    if isinstance(node.get("items"), dict):
        yield from properties(node["items"], f"{path}[]")


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    ("path", "node"),
    [*properties(SCHEMA["$defs"]["Cluster"], "Cluster"), *properties(SCHEMA["$defs"]["Image"], "Image")],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_property_is_described_and_its_examples_are_valid(path: str, node: dict[str, Any]) -> None:
    assert node.get("description"), path
    assert node.get("examples"), path
    validator = Draft202012Validator({**node, "$defs": SCHEMA["$defs"]})
    for example in node["examples"]:
        validator.validate(example)


def test_an_editor_knows_both_kinds_of_documents() -> None:
    image = {"apiVersion": "imagegen/v1alpha1", "kind": "Image", "metadata": {"name": "gpu"}, "os": "debian-12"}
    validator = Draft202012Validator(SCHEMA)
    assert validator.is_valid(image)
    assert validator.is_valid(SPEC)
    assert not validator.is_valid({**image, "network": {}})
    assert not validator.is_valid({**SPEC, "kernel": "own"})


def test_every_property_has_a_field_and_the_same_default() -> None:
    # Image documents and locks stand beside the Cluster's, not in it.
    compare(SCHEMA["$defs"]["Cluster"], spec.Cluster, beside=frozenset({"images", "locks"}))
    compare(SCHEMA["$defs"]["Image"], spec.Image)


def compare(node: dict[str, Any], kind: type[Any], *, beside: frozenset[str] = frozenset()) -> None:
    node = resolve(node)
    hints = get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}
    assert {field_name(name) for name in node["properties"]} == set(fields) - beside, kind
    for name, written in node["properties"].items():
        child, field = resolve(written), fields[field_name(name)]
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        assert required == (name in node.get("required", [])), (kind, name)
        if "default" in child and field.default is not dataclasses.MISSING:
            assert as_data(field.default) == child["default"], (kind, name)
        for inner in (hints[field.name], *get_args(hints[field.name])):
            if dataclasses.is_dataclass(inner) and isinstance(inner, type):
                compare(child.get("items", child), inner)


def as_data(value: object) -> Any:
    return list(value) if isinstance(value, tuple) else value if isinstance(value, bool | int) else str(value)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_every_example_is_fine_and_renders(example: Path, tmp_path: Path) -> None:
    validated = run("validate", example)
    assert validated.exit_code == 0, validated.stderr
    assert not validated.stderr
    secrets = tmp_path / "secrets.yaml"
    assert run("secrets", "new", example, "--secrets", secrets).exit_code == 0
    assert run("render", example, "--secrets", secrets, "--out", tmp_path).exit_code == 0


def test_the_quickstart_is_small(tmp_path: Path) -> None:
    secrets = tmp_path / "secrets.yaml"
    run("secrets", "new", ROOT / "examples/quickstart.yaml", "--secrets", secrets)
    run("render", ROOT / "examples/quickstart.yaml", "--secrets", secrets, "--out", tmp_path)
    sizes = {path.stem: path.stat().st_size for path in (tmp_path / "quickstart/user-data").glob("*.yaml")}
    goals = {"worker-workers": 2816, "control-plane-join": 7168, "control-plane-init": 8192}
    assert {role for role, goal in goals.items() if sizes[role] > goal} == set()


def test_the_command_prints_it() -> None:
    assert json.loads(run("schema").stdout) == SCHEMA


def test_yaml_in_the_readme_is_valid() -> None:
    blocks = (ROOT / "README.md").read_text().split("```yaml\n")[1:]
    assert blocks
    for block in blocks:
        text = block.split("```")[0]
        cluster, report = pipeline.check(text, "README.md", load_assets())
        assert cluster is not None, report.diagnostics
        assert yaml.safe_load(text)["metadata"]["name"] == cluster.metadata.name


def test_the_reference_page_is_the_schema_s(request: pytest.FixtureRequest) -> None:
    page = ROOT / "docs" / "spec.md"
    made = run("schema", "--format", "markdown").stdout
    if request.config.getoption("--update-golden"):
        page.write_text(made)
        pytest.fail("recorded; run again without --update-golden")
    assert page.read_text() == made
