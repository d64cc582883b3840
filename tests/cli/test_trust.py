"""The cluster CA replaced, command by command, in a plain and in an encrypted bundle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import Result

from imagegen.inspection import inspect_artifact
from imagegen.secrets.keys import ca_hashes, new_authority
from imagegen.spec import EncryptionAlgorithm
from tests.support.age import new_key
from tests.support.specs import NOW, run, spec

SPEC, NEXT = Path("demo.yaml"), Path("next")


@pytest.fixture(params=["plain", "encrypted"])
def form(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder with a spec, its bundle, and a new CA."""
    monkeypatch.chdir(tmp_path)
    SPEC.write_text(yaml.safe_dump(spec()))
    key = new_key(tmp_path)
    monkeypatch.setenv("IMAGEGEN_AGE_KEY_FILE", str(key.file))
    recipient = ["--recipient", key.recipient] if request.param == "encrypted" else []
    assert run("secrets", "new", SPEC, *recipient).exit_code == 0
    NEXT.mkdir()
    authority = new_authority("kubernetes", EncryptionAlgorithm.ECDSA_P256, NOW)
    (NEXT / "ca.crt").write_text(authority.certificate)
    (NEXT / "ca.key").write_text(authority.key)
    return str(request.param)


def done(*arguments: str | Path) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def summary() -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(done("secrets", "show", SPEC, "--format", "json"))
    return shown


def worker_pins() -> list[str]:
    """The pins of the worker's user-data, as rendered now."""
    done("render", SPEC)
    part = inspect_artifact(Path("out/demo/user-data/worker-workers.yaml").read_bytes()).parts[0]
    join = next(file.content for file in part.files if file.path.endswith("/kubeadm.yaml"))
    pins: list[str] = yaml.safe_load(join)["discovery"]["bootstrapToken"]["caCertHashes"]
    return pins


def test_from_one_ca_to_the_next(form: str) -> None:
    (old,), (new,) = summary()["caCertHashes"], ca_hashes((NEXT / "ca.crt").read_text())
    assert worker_pins() == [old]
    assert new in done("secrets", "trust", SPEC, "--ca", NEXT / "ca.crt")
    assert [ca["caCertHash"] for ca in summary()["trustedCAs"]] == [new]
    assert worker_pins() == [old, new]
    done("secrets", "replace-ca", SPEC, "--pki", NEXT)
    assert [ca["caCertHash"] for ca in summary()["trustedCAs"]] == [old]
    assert worker_pins() == [new, old]
    assert old in done("secrets", "show", SPEC)
    done("secrets", "check", SPEC)
    done("secrets", "distrust", SPEC, "--ca-cert-hash", old)
    assert summary()["trustedCAs"] == []
    assert worker_pins() == [new]
    assert Path("demo.secrets.yaml").exists() == (form == "plain")


def test_a_new_kubeconfig_trusts_both(form: str) -> None:
    assert form
    done("secrets", "replace-ca", SPEC, "--pki", NEXT)
    done("kubeconfig", SPEC)
    cluster = yaml.safe_load(Path("demo.kubeconfig").read_text())["clusters"][0]["cluster"]
    import base64  # noqa: PLC0415  one line of one test

    trusted = base64.b64decode(cluster["certificate-authority-data"]).decode()
    assert list(ca_hashes(trusted)) == summary()["caCertHashes"]


def refused(result: Result, *words: str) -> None:
    assert result.exit_code == 1
    for word in words:
        assert word in result.stderr


def test_what_is_no_ca_is_refused(form: str) -> None:
    before = summary()
    refused(run("secrets", "trust", SPEC, "--ca", NEXT / "ca.key"), "next/ca.key: no certificate in PEM")
    refused(run("secrets", "distrust", SPEC, "--ca-cert-hash", before["caCertHashes"][0]), "replace-ca")
    (NEXT / "ca.key").unlink()
    refused(run("secrets", "replace-ca", SPEC, "--pki", NEXT), "ca.key missing", "kubeadm init phase certs ca")
    assert summary() == before
    assert form


def test_a_cluster_made_elsewhere_lists_its_cas_in_the_spec(form: str) -> None:
    assert form
    data = spec(metadata={"name": "other"})
    existing = {"endpoint": "192.168.0.242:6443", "caCertificate": (NEXT / "ca.crt").read_text()}
    data["controlPlane"] = {"existing": existing}
    path = Path("other.yaml")
    path.write_text(yaml.safe_dump(data))
    done("secrets", "new", path)
    refused(run("secrets", "trust", path, "--ca", NEXT / "ca.crt"), "controlPlane.existing.caCertificate")
