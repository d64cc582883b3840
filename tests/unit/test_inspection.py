"""User-data in every form comes back as its files."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Callable
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path

import pytest

from imagegen.inspection import UndecodableError, inspect_artifact
from tests.support.specs import render, run, spec

PLAIN = render(spec()).tree["user-data/worker-workers.yaml"].content


def mime(data: bytes) -> bytes:
    message = MIMEMultipart()
    message.attach(MIMEText(data.decode(), "cloud-config"))
    message.attach(MIMEText("#!/bin/sh\ntrue\n", "x-shellscript"))
    return message.as_bytes()


FORMS: dict[str, tuple[Callable[[bytes], bytes], tuple[str, ...]]] = {
    "plain": (bytes, ()),
    "base64": (b64encode, ("base64",)),
    "gzip": (gzip.compress, ("gzip",)),
    "base64 of gzip": (lambda data: b64encode(gzip.compress(data)), ("base64", "gzip")),
    "MIME": (mime, ("MIME",)),
    "gzip of MIME": (lambda data: gzip.compress(mime(data)), ("gzip", "MIME")),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms(form: str) -> None:
    encode, layers = FORMS[form]
    inspection = inspect_artifact(encode(PLAIN))
    assert inspection.layers == layers
    files = {file.path: file for file in inspection.parts[0].files}
    assert json.loads(files["/etc/imagegen/node.json"].content)["role"] == "worker"
    assert files["/var/lib/imagegen/kubeadm.yaml"].mode == "0600"


def test_encoded_contents_are_decoded() -> None:
    packed = b64encode(gzip.compress(b"hello")).decode()
    text = f"#cloud-config\nwrite_files:\n- {{path: /a, encoding: gz+b64, content: {packed}}}\n"
    assert inspect_artifact(text.encode()).parts[0].files[0].content == b"hello"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"hello there!", "neither"),
        (b"# a comment\nkey: value\n", "neither"),
        (gzip.compress(PLAIN)[:-9], "cut off"),
        (b"\x1f\x8bnot gzip", "broken"),
        (b"#cloud-config\na: [\n", "not YAML"),
        (b"", "neither"),
    ],
)
def test_what_is_no_user_data(data: bytes, says: str) -> None:
    with pytest.raises(UndecodableError, match=says):
        inspect_artifact(data)


def test_the_command_lists_shows_and_writes(tmp_path: Path) -> None:
    artifact = tmp_path / "worker.base64"
    artifact.write_bytes(b64encode(PLAIN))
    listed = run("inspect", artifact)
    assert "base64 of cloud-config" in listed.stdout
    assert "secrettoken" not in listed.stdout
    assert "JoinConfiguration" in run("inspect", artifact, "--show", "/var/lib/imagegen/kubeadm.yaml").stdout
    assert run("inspect", artifact, "--out", tmp_path / "files").exit_code == 0
    assert (tmp_path / "files/etc/imagegen/node.json").exists()
    assert run("inspect", artifact, "--out", tmp_path / "files").exit_code == 1
    assert run("inspect", artifact, "--show", "/nowhere").exit_code == 1


def test_json(tmp_path: Path) -> None:
    artifact = tmp_path / "worker.yaml"
    artifact.write_bytes(PLAIN)
    assert json.loads(run("inspect", artifact, "--format", "json").stdout)["parts"][0]["kind"] == "cloud-config"
