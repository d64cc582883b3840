"""What holds for every input: nothing crashes, every finding has its place, every text arrives."""

from __future__ import annotations

import contextlib
import copy
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from imagegen import document, pipeline, yaml_dump
from imagegen.cli.common import load_assets
from imagegen.document import parse
from imagegen.inspection import UndecodableError, inspect_artifact
from imagegen.schema import check_schema, explain_errors
from tests.golden.test_golden import CASES
from tests.support.from_schema import documents, tamed
from tests.support.specs import SPEC, fake_bundle, spec

ASSETS = load_assets()
MANY = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
HOSTILE = some.one_of(
    some.text(max_size=200),
    some.text(alphabet="\"'`{}[]$%&*!|>-:#\\ \t\n\r@,?~", max_size=60),
    some.sampled_from(
        ["{{ v1.instance_id }}", "${HOME}", "%{if}", "## template: jinja\n", "--- \n...", "\ufeff", "🎈\n"]
    ),
)
VALUES = some.one_of(
    some.none(),
    some.booleans(),
    some.integers(),
    some.floats(allow_nan=False),
    some.text(max_size=20),
    some.lists(some.text(max_size=5), max_size=2),
    some.dictionaries(some.text(max_size=5), some.integers(), max_size=2),
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every path into some data."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


RICH = {
    **CASES["everything-1.37"],
    "image": {"os": "debian-12", "qemu": {"cpus": 2, "memoryMiB": 2048}},
    "admin": {"user": "someone", "sshAuthorizedKeys": ["ssh-ed25519 AAAA someone@example.com"]},
}
PLACES = list(places(SPEC))[1:]
RICH_PLACES = list(places(RICH))[1:]


@MANY
@given(text=some.text(max_size=300))
def test_any_text_is_read_or_refused_with_a_place(text: str) -> None:
    document, findings = parse(text, "x.yaml")
    assert (document is None) == bool(findings)
    assert all(finding.position for finding in findings)


@MANY
@given(place=some.sampled_from(PLACES), value=VALUES, key=some.text(max_size=8))
def test_a_spec_with_anything_anywhere(place: tuple[str | int, ...], value: Any, key: str) -> None:
    data: Any = copy.deepcopy(SPEC)
    target = data
    for step in place[:-1]:
        target = target[step]
    target[place[-1]] = value
    if isinstance(target, dict):
        target[key] = value
    text = yaml.safe_dump(data, allow_unicode=True)
    cluster, report = pipeline.check(text, "cluster.yaml", ASSETS)
    assert (cluster is None) == report.failed
    lines = text.count("\n") + 1
    for finding in report.diagnostics:
        assert finding.position is not None
        assert finding.position.line <= lines
    if cluster is not None:
        pools = (pool.name for pool in cluster.node_pools)
        pipeline.render(cluster, fake_bundle(*pools), ASSETS)


ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    10**9,
    1.0,
    "",
    "a",
    "A b",
    "a\n",
    "192.168.0.0/24\n",
    "1.37.2\n",
    "root",
    "10.0.0.1/8",
    [],
    ["A b"],
    {},
    {"A b": 1, "a": "b"},
)
GONE = object()


@pytest.mark.parametrize("place", RICH_PLACES, ids=lambda place: ".".join(map(str, place)))
def test_a_quick_yes_is_jsonschemas_yes(place: tuple[str | int, ...]) -> None:
    for value in (*ODD, GONE):
        data: Any = copy.deepcopy(RICH)
        target = data
        for step in place[:-1]:
            target = target[step]
        if value is GONE:
            del target[place[-1]]
        else:
            target[place[-1]] = value
        assert check_schema(data, ASSETS.schema, "Cluster") == explain_errors(data, ASSETS.schema, "Cluster"), value


@MANY
@given(content=HOSTILE, drop_in=HOSTILE, label=HOSTILE, san=HOSTILE)
def test_every_text_arrives_or_is_refused(content: str, drop_in: str, label: str, san: str) -> None:
    data = spec(
        files=[{"path": "/etc/motd", "content": content}],
        runtime={"dropIns": {"50-x": drop_in}},
        controlPlane={"certSANs": [san or "x"]},
        nodePools=[{"name": "workers", "taints": [{"key": "a", "value": label, "effect": "NoSchedule"}]}],
    )
    cluster, report = pipeline.check(yaml.safe_dump(data, allow_unicode=True), "cluster.yaml", ASSETS)
    if cluster is None:
        assert report.diagnostics
        return
    rendering, _ = pipeline.render(cluster, fake_bundle("workers"), ASSETS)
    assert rendering is not None
    worker = written(rendering.tree["user-data/worker-workers.yaml"].content)
    assert worker["/etc/motd"] == content
    assert worker["/etc/containerd/conf.d/50-x.toml"] == drop_in
    join = yaml.safe_load(worker["/var/lib/imagegen/kubeadm.yaml"])
    assert join["nodeRegistration"]["taints"][0]["value"] == label
    plane = written(rendering.tree["user-data/control-plane-init.yaml"].content)
    documents = list(yaml.safe_load_all(plane["/var/lib/imagegen/kubeadm.yaml"]))
    assert documents[1]["apiServer"]["certSANs"] == [san or "x"]


def written(user_data: bytes) -> dict[str, str]:
    """The files in user-data, read as cloud-init does: YAML, then each entry's encoding."""
    entries = yaml.safe_load(user_data)["write_files"]
    return {
        entry["path"]: b64decode(entry["content"]).decode() if "encoding" in entry else entry["content"]
        for entry in entries
    }


@MANY
@given(data=some.binary(max_size=300))
def test_any_bytes_are_taken_apart_or_refused(data: bytes) -> None:
    with contextlib.suppress(UndecodableError):
        inspect_artifact(data)


YAML_WORDS = [
    form
    for word in ("y", "n", "yes", "no", "on", "off", "true", "false", "null", "inf", "nan", "e", "no-no", "on_", "/no")
    for form in (word, word.upper(), word.title())
]
TEXTS = some.one_of(
    some.text(max_size=20),
    some.text(alphabet=" \n\tab:#-|'\"{}[],?0~1.ntyes=", max_size=14),
    some.text(alphabet="/_-=. aefklnorstuyNOT01", max_size=14),
    some.sampled_from(
        [*YAML_WORDS, "yes", "null", "1.0", "0x1", "2026-01-01", "a: b", "...", "---\na\n", "a\n\nb\n", "<<"]
    ),
)
SCALARS = some.one_of(TEXTS, some.integers(), some.booleans(), some.none(), some.floats(allow_nan=False))
DATA = some.recursive(
    SCALARS, lambda some_data: some.lists(some_data, max_size=4) | some.dictionaries(TEXTS, some_data, max_size=4)
)


@settings(MANY, max_examples=1000)
@given(DATA)
def test_yaml_is_written_as_pyyaml_writes_it(data: Any) -> None:
    assert yaml_dump.dump(data) == yaml_dump.dump_by_library(data)


LINES = [line for example in Path("examples").rglob("*.yaml") for line in example.read_text().split("\n")]
CHANGES = some.lists(
    some.tuples(some.integers(0, 400), some.sampled_from([*"\n :-#[]{},|>&*%@`'\"~a1.=", "---\n", "<<: ", "*a"]))
)


@settings(MANY, max_examples=1000)
@given(some.lists(some.sampled_from(LINES), min_size=1, max_size=12), CHANGES)
def test_libyaml_reads_what_pyyaml_reads(lines: list[str], changes: list[tuple[int, str]]) -> None:
    text = "\n".join(lines) + "\n"
    for place, change in changes:
        text = text[:place] + change + text[place:]
    if quick := document.parse_quickly(text, "cluster.yaml"):
        assert (quick, ()) == document.parse_slowly(text, "cluster.yaml")


@pytest.mark.parametrize(
    "text",
    ["{a: }", "[a: , b]", "a: |# c", "! a", "!", "[a?b, c]", "{a\t: b}", "a: [\tb]", "%YAML 1.1\n--- a", "é: {b: }"],
)
def test_where_the_two_differ_pyyaml_rules(text: str) -> None:
    assert document.parse_all(f"{text}\n", "cluster.yaml") == document.parse_slowly(f"{text}\n", "cluster.yaml")


@pytest.mark.parametrize("text", ["[" * 500_000, "- " * 500_000, "{a: " * 200_000], ids=["lists", "dashes", "mappings"])
def test_what_is_too_deep_is_a_finding(text: str) -> None:
    assert [finding.code for finding in document.parse_all(text + "\n", "cluster.yaml")[1]] == ["IG003"]


@settings(MANY, max_examples=100)
@given(documents("Cluster"), some.lists(documents("Image"), max_size=2), some.booleans())
def test_what_the_schema_allows_is_rendered_or_refused(cluster: Any, images: list[Any], tame: bool) -> None:
    text = yaml.safe_dump_all([tamed(cluster) if tame else cluster, *images], allow_unicode=True)
    checked, report = pipeline.check(text, "cluster.yaml", ASSETS)
    for finding in report.diagnostics:
        assert finding.code.startswith("IG")
        # Its form is right, so it is a rule, a name given twice, or a base that is not there.
        assert finding.code > "IG105" or finding.code in {"IG005", "IG006"}, finding
    if checked is not None:
        bundle = fake_bundle(*(pool.name for pool in checked.node_pools))
        bundle = replace(bundle, authorities=None) if checked.control_plane.existing else bundle
        rendering, refused = pipeline.render(checked, bundle, ASSETS)
        assert rendering is not None or refused.failed
