"""cloud-init itself on every golden: its schema check, and its own reading of every form of an artifact."""

from __future__ import annotations

import functools
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from imagegen.cli.common import load_assets
from imagegen.pipeline import pack_stocks
from imagegen.plan import DeliveryPlan
from imagegen.userdata import render_artifact
from tests.golden.test_golden import CASES
from tests.support import rooted
from tests.support.specs import render, spec
from tools import roots

pytestmark = pytest.mark.tools
GOLDENS = {
    f"{path.parent.name}/{path.stem}": path.read_text()
    for path in sorted((Path(__file__).parents[1] / "golden").glob("*/*.yaml"))
}
IN_THE_IMAGE = "etc/cloud/cloud.cfg.d/99-imagegen.cfg"


def _of_the_image() -> str:
    """The image's own configuration, which 22.4 checks at each boot together with user-data; but no key of a system."""
    text = render(spec()).tree[f"images/demo/packer/files/{IN_THE_IMAGE}"].content.decode()
    return "#cloud-config\n" + re.sub("(?m)^datasource_list:.*\n", "", text)


DOCUMENTS = {
    **GOLDENS,
    "build machine": render(spec()).tree["images/demo/packer/seed/user-data"].content.decode(),
    "image": _of_the_image(),
    "bad key": "#cloud-config\nwrite_files:\n  - {path: /x, contents: y}\n",
    "bad type": "#cloud-config\nwrite_files:\n  - {path: /x, permissions: 0644}\n",
}
GOOD = [name for name in DOCUMENTS if not name.startswith("bad")]
# This machine's own cloud-init serves where there can be no roots.
EVERYWHERE = pytest.mark.parametrize("suite", [rooted.HOST, *roots.SUITES])


@functools.cache
def verdicts(suite: str) -> dict[str, tuple[int, str]]:
    answers = rooted.ask(suite, "schema", DOCUMENTS)
    return {name: (code, said) for name, (code, said) in answers.items()}


@EVERYWHERE
@pytest.mark.parametrize("document", GOOD)
def test_schema(suite: str, document: str) -> None:
    code, said = verdicts(suite)[document]
    assert code == 0, said
    assert "Valid" in said
    assert "deprecat" not in said.lower()


@EVERYWHERE
@pytest.mark.parametrize("document", sorted(DOCUMENTS.keys() - GOOD))
def test_the_schema_check_can_fail(suite: str, document: str) -> None:
    code, said = verdicts(suite)[document]
    assert code != 0
    assert "write_files.0" in said


@EVERYWHERE
def test_every_key_is_known(suite: str) -> None:
    """Before 23.4, cloud-init's own check says nothing of an unknown key."""
    known = set(rooted.ask(suite, "keys", None))
    used = {key for document in GOOD for key in yaml.safe_load(DOCUMENTS[document])}
    assert {"write_files", "users"} <= used
    assert used <= known


@pytest.mark.parametrize("document", GOOD)
def test_no_key_is_there_twice(document: str) -> None:
    """No cloud-init says anything of that; neither of the user-data's keys, nor of those in its YAML files."""
    assert list(repeated(DOCUMENTS[document])) == []
    for entry in yaml.safe_load(DOCUMENTS[document]).get("write_files", ()):
        if entry["path"].endswith((".yaml", ".json")) and "encoding" not in entry:
            assert list(repeated(entry["content"])) == [], entry["path"]


def test_a_repeated_key_is_found() -> None:
    assert list(repeated("a: {b: 1, c: {d: 1, d: 2}}\n---\ne: 1\ne: 2\n")) == ["d", "e"]


def repeated(text: str) -> Iterator[str]:
    for document in yaml.compose_all(text, yaml.SafeLoader):
        yield from _repeated(document)


def _repeated(node: Any) -> Iterator[str]:
    if isinstance(node, yaml.MappingNode):
        keys = [key.value for key, _ in node.value]
        yield from sorted({key for key in keys if keys.count(key) > 1})
    if isinstance(node, yaml.CollectionNode):
        for child in node.value:
            for part in child if isinstance(child, tuple) else (child,):
                yield from _repeated(part)


FORMS = {
    "plain": DeliveryPlan(provider="test", limit=0, encoding="plain", gzip=False, http_tokens=""),
    "base64": DeliveryPlan(provider="test", limit=0, encoding="base64", gzip=False, http_tokens=""),
    # One byte is too few for anything: what is compressible gets compressed.
    "files packed": DeliveryPlan(provider="test", limit=1, encoding="base64", gzip=False, http_tokens=""),
    "gzip and base64": DeliveryPlan(provider="test", limit=1, encoding="base64", gzip=True, http_tokens=""),
}


@functools.cache
def payloads() -> dict[str, bytes]:
    """What a machine's data source gets, by case, role and form: the provider undoes its own base64 and no more."""
    assets = load_assets()
    plans = {case: render(data).plan for case, data in CASES.items()}
    stocks = {case: pack_stocks(plan, assets) for case, plan in plans.items()}
    artifacts = {
        f"{case}/{role.name} {form}": render_artifact(role, assets.templates, delivery, stocks[case].get(role.image))
        for case, plan in plans.items()
        for role in plan.roles
        for form, delivery in FORMS.items()
    }
    return {
        name: artifact.plain if artifact.encoded is None else b64decode(artifact.encoded)
        for name, artifact in artifacts.items()
    }


@functools.cache
def readings(suite: str) -> dict[str, Any]:
    request = {name: b64encode(payload).decode() for name, payload in payloads().items()}
    readings: dict[str, Any] = rooted.ask(suite, "parse", request)
    return readings


@EVERYWHERE
@pytest.mark.parametrize("form", FORMS)
def test_reading(suite: str, form: str) -> None:
    # Goldens have no digest of what changes with every script; what was rendered has.
    for golden in GOLDENS:
        text = payloads()[f"{golden} plain"].decode()
        assert readings(suite)[f"{golden} {form}"] == unpacked(text), golden


def unpacked(text: str) -> Any:
    """A golden as PyYAML reads it, its files' contents in base64; goldens pack no file."""
    config = yaml.safe_load(text)
    for entry in config["write_files"]:
        encoding = entry.pop("encoding", None)
        assert encoding in {None, "b64"}
        entry["content"] = entry["content"] if encoding else b64encode(entry["content"].encode()).decode()
    return config


def test_the_forms_differ() -> None:
    golden = next(iter(GOLDENS))
    plain, encoded, packed, compressed = (payloads()[f"{golden} {form}"] for form in FORMS)
    assert encoded == plain
    assert b"gz+b64" in packed
    assert compressed.startswith(b"\x1f\x8b")
