"""Every command through every exit code that it can give."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyrage
import pytest
import yaml
from typer.main import get_command

from imagegen.cli import app
from imagegen.secrets.keys import ca_hashes, new_authority
from imagegen.spec import EncryptionAlgorithm
from tests.support.inventories import inventory
from tests.support.locks import lock_beside
from tests.support.program import Outcome, run_forked
from tests.support.specs import NOW, run, spec

FULL = "> /dev/full"
"""Stands at the end of a command line whose output goes to a full disk."""

# `fine.yaml` has its secrets and was rendered; `wrong.yaml` has an error in it; `plain` is a file, not a folder;
# `locked/` has a spec with its lock and its bundle.
WALK: dict[str, dict[int, str]] = {
    "": {0: "--help", 2: "frobnicate", 3: f"--version {FULL}"},
    "init": {0: "new.yaml", 1: "fine.yaml", 2: "new.yaml --provider moon", 3: "plain/new.yaml"},
    "validate": {0: "fine.yaml", 1: "wrong.yaml", 2: "absent.yaml", 3: f"fine.yaml {FULL}"},
    "render": {0: "fine.yaml", 1: "wrong.yaml", 2: "fine.yaml --frob", 3: "fine.yaml --out plain/out"},
    "lock": {
        0: "locked/fine.yaml --check",
        1: "fine.yaml --check",
        2: "fine.yaml --mirror here=there",
        3: f"locked/fine.yaml --check --format json {FULL}",
    },
    "bundle": {
        0: "locked/fine.yaml --out locked/bundle",
        1: "fine.yaml --out bundle",
        2: "fine.yaml",
        3: "locked/fine.yaml --out plain/bundle",
    },
    "diff": {0: "fine.yaml", 1: "changed.yaml", 2: "out", 3: f"fine.yaml {FULL}"},
    "explain": {0: "fine.yaml --role worker-workers", 1: "IG999", 2: "absent.yaml", 3: f"IG204 {FULL}"},
    "bake": {0: "fine.yaml --dry-run", 1: "changed.yaml --image absent", 2: "", 3: "fine.yaml --packer /bin/false"},
    "boot": {
        0: "fine.yaml --image plain --dry-run",
        1: "fine.yaml --dry-run",
        2: "fine.yaml --ground moon",
        3: f"fine.yaml --image plain --dry-run {FULL}",
    },
    "fingerprint": {0: "fine.yaml", 1: "wrong.yaml", 2: "absent.yaml", 3: f"fine.yaml {FULL}"},
    "stale": {
        0: "fine.yaml --against fresh.json",
        1: "fine.yaml --against none.json",
        2: "fine.yaml",
        3: "fine.yaml --against plain",
    },
    "sbom": {0: "baked", 1: "pki", 2: "absent", 3: "baked --out plain/sbom"},
    "secrets encrypt": {
        0: "fine.yaml --recipient @recipient@",
        1: "fine.yaml",
        2: "absent.yaml",
        3: f"fine.yaml --recipient @recipient@ {FULL}",
    },
    "secrets decrypt": {
        0: "fine.yaml --secrets locked.age --identity key.txt",
        1: "fine.yaml",
        2: "absent.yaml",
        3: f"fine.yaml --secrets locked.age --identity key.txt {FULL}",
    },
    "secrets trust": {
        0: "fine.yaml --ca other/ca.crt",
        1: "fine.yaml --ca plain",
        2: "fine.yaml",
        3: f"fine.yaml --ca other/ca.crt {FULL}",
    },
    "secrets replace-ca": {
        0: "fine.yaml --pki other",
        1: "fine.yaml --pki out",
        2: "fine.yaml",
        3: f"fine.yaml --pki other {FULL}",
    },
    "secrets distrust": {
        0: "fine.yaml --secrets trusting.yaml --ca-cert-hash @pin@",
        1: "fine.yaml --ca-cert-hash sha256:0",
        2: "fine.yaml",
        3: f"fine.yaml --secrets trusting.yaml --ca-cert-hash @pin@ {FULL}",
    },
    "kubeconfig": {0: "fine.yaml", 1: "wrong.yaml", 2: "", 3: "fine.yaml --out plain/kubeconfig"},
    "runbook": {0: "fine.yaml", 1: "wrong.yaml", 2: "absent.yaml", 3: "fine.yaml --out plain/out"},
    "inspect": {0: "out/demo/user-data/worker-workers.yaml", 1: "plain", 2: "absent", 3: "out"},
    "diagnose": {0: "done.log", 1: "waiting.log done.log", 2: "absent", 3: "out"},
    "schema": {0: "", 2: "--format xml", 3: FULL},
    "secrets new": {0: "bare.yaml", 1: "fine.yaml", 2: "", 3: "fine.yaml --secrets plain/secrets.yaml"},
    "secrets import": {
        0: "bare.yaml --pki pki",
        1: "bare.yaml --pki out",
        2: "bare.yaml",
        3: "bare.yaml --pki pki --secrets plain/secrets.yaml",
    },
    "secrets check": {0: "fine.yaml", 1: "bare.yaml", 2: "absent.yaml", 3: f"fine.yaml {FULL}"},
    "secrets show": {0: "fine.yaml", 1: "bare.yaml", 2: "--format xml fine.yaml", 3: f"fine.yaml {FULL}"},
    "token rotate": {
        0: "fine.yaml --pool workers",
        1: "fine.yaml --pool absent",
        2: "fine.yaml",
        3: "fine.yaml --pool workers --out plain/out",
    },
    "token renew": {
        0: "fine.yaml --pool workers",
        1: "fine.yaml --pool absent",
        2: "fine.yaml",
        3: "fine.yaml --pool workers --out plain/out",
    },
}
STEPS = [
    pytest.param(command, code, arguments, id=f"{command or 'imagegen'}-{code}")
    for command, codes in WALK.items()
    for code, arguments in codes.items()
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with everything that the walk needs."""
    folder = tmp_path_factory.mktemp("place")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, data in {
            "fine": spec(),
            "bare": spec(metadata={"name": "bare"}),
            "changed": spec(nodePools=[{"name": "workers", "labels": {"a": "b"}}]),
            "wrong": spec(kubernetes={"version": "1.99.0"}),
        }.items():
            Path(f"{name}.yaml").write_text(yaml.safe_dump(data))
        Path("plain").write_text("a file\n")
        Path("done.log").write_text("imagegen: phase=done status=ok seconds=0.0\n")
        Path("waiting.log").write_text("imagegen: phase=endpoint status=waiting seconds=1.0 reason=refused\n")
        Path("locked").mkdir()
        shutil.copy("fine.yaml", "locked")
        lock_beside(Path("locked/fine.yaml"), Path("locked/bundle"))
        assert run("secrets", "new", "fine.yaml").exit_code == 0
        assert run("render", "fine.yaml").exit_code == 0
        files = "out/demo/user-data/control-plane-join.yaml"
        assert run("inspect", files, "--out", "files").exit_code == 0
        shutil.copytree("files/var/lib/imagegen/pki", "pki")
        _make_baked()
        _make_trusted()
    return folder


def _make_baked() -> None:
    """What a bake leaves, as far as it counts here."""
    described = json.loads(run("fingerprint", "fine.yaml", "--format", "json").stdout)["demo"]
    data = {**described["contents"], "fingerprint": described["fingerprint"]}
    Path("fresh.json").write_text(json.dumps({"builds": [{"build_time": 1, "custom_data": data}]}))
    Path("none.json").write_text(json.dumps({"builds": []}))
    Path("baked").mkdir()
    Path("baked/inventory.json").write_text(json.dumps(inventory()))


def _make_trusted() -> None:
    """Another CA, a bundle that trusts it, and an encrypted one with its key."""
    identity = pyrage.x25519.Identity.generate()
    Path("key.txt").write_text(str(identity))
    Path("recipient").write_text(str(identity.to_public()))
    assert (
        run("secrets", "new", "fine.yaml", "--secrets", "locked.age", "--recipient", WORDS["recipient"]()).exit_code
        == 0
    )
    authority = new_authority("kubernetes", EncryptionAlgorithm.ECDSA_P256, NOW)
    Path("other").mkdir()
    Path("other/ca.crt").write_text(authority.certificate)
    Path("other/ca.key").write_text(authority.key)
    (pin,) = ca_hashes(authority.certificate)
    Path("pin").write_text(pin)
    shutil.copy("demo.secrets.yaml", "trusting.yaml")
    assert run("secrets", "trust", "fine.yaml", "--secrets", "trusting.yaml", "--ca", "other/ca.crt").exit_code == 0


# What is only known once it was made.
WORDS = {name: Path(name).read_text for name in ("recipient", "pin")}


@pytest.fixture
def scene(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of it, to work in."""
    shutil.copytree(place, tmp_path / "scene")
    monkeypatch.chdir(tmp_path / "scene")


def walk(command: str, arguments: str) -> Outcome:
    for word, read in WORDS.items():
        arguments = arguments.replace(f"@{word}@", read()) if word in arguments else arguments
    words = [*command.split(), *arguments.removesuffix(FULL).split()]
    return run_forked(*words, stdout=Path("/dev/full") if arguments.endswith(FULL) else None)


@pytest.mark.parametrize(("command", "code", "arguments"), STEPS)
@pytest.mark.usefixtures("scene")
def test_walk(command: str, code: int, arguments: str) -> None:
    outcome = walk(command, arguments)
    assert outcome.code == code, outcome.stdout + outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert code in {0, 1} or outcome.stdout == ""
    # These have their result to say; everything else that ends otherwise says why.
    assert code == 0 or command in {"diff", "stale", "diagnose"} or outcome.stderr


def test_every_command_is_walked() -> None:
    def names(command: Any, prefix: str) -> Iterator[str]:
        for name, child in getattr(command, "commands", {}).items():
            yield from names(child, f"{prefix}{name} ") if hasattr(child, "commands") else [f"{prefix}{name}"]

    assert set(names(get_command(app), "")) == WALK.keys() - {""}
    # No spec, no findings: only these two never end with 1.
    assert {command for command, codes in WALK.items() if set(codes) != {0, 1, 2, 3}} == {"", "schema"}


def test_the_help_names_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    told = run("--help").stdout.split("Exit codes:")[1]
    assert [word for word in told.replace(".", "").split() if word.isdigit()] == ["0", "1", "2", "3"]
