"""`--format json`: standard output is one document, and holds no secret; everything else is on standard error."""

from __future__ import annotations

import json
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from imagegen.cli import app
from tests.support.inventories import inventory
from tests.support.locks import lock_beside
from tests.support.program import run_forked
from tests.support.specs import run, spec

JOIN = "out/demo/user-data/control-plane-join.yaml"
# What each command's document has at its top; a list stands for itself.
RESULTS: dict[str, tuple[str, ...] | list[Any]] = {
    "validate warned.yaml": [],
    "render warned.yaml": ("cluster", "kubernetes", "folder", "roles", "images", "files"),
    "diff warned.yaml": ("verdict", "images", "userData"),
    "explain IG204": ("code", "title", "help"),
    "explain warned.yaml": ("cluster", "images"),
    "fingerprint warned.yaml": ("demo",),
    "stale warned.yaml --against fresh.json": ("images",),
    "lock locked.yaml --check": ("findings",),
    "bundle locked.yaml --out collected": ("images",),
    "sbom out/baked": ("path", "image", "fingerprint", "packages", "programs", "containerImages"),
    "explain warned.yaml --role control-plane-init": ("cluster", "role", "files", "cloudInit", "phases", "ready"),
    f"inspect {JOIN}": ("layers", "parts"),
    f"inspect {JOIN} --out files": ("layers", "parts"),
    f"inspect {JOIN} --show /etc/imagegen/node.json": ("path", "mode", "encoding", "bytes", "content"),
    "diagnose done.log": ("nodes", "together"),
    "kubeconfig warned.yaml": ("path", "server", "user", "group"),
    "runbook warned.yaml": ("cluster", "folder", "pages", "tokenIDs"),
    "secrets check warned.yaml": ("path", "cluster", "findings"),
    "secrets show warned.yaml": ("cluster", "caCertHashes", "authorities", "tokenIDs"),
    "token rotate warned.yaml --pool workers": ("token", "render"),
    "token renew warned.yaml --pool workers": ("token",),
}
# A spec with an error in it, and one without a bundle, for each command that reads them.
SPECS = [
    f"{command} {name}{options}"
    for command, options in {
        "render": "",
        "diff": "",
        "kubeconfig": "",
        "secrets check": "",
        "secrets show": "",
        "token rotate": " --pool workers",
        "token renew": " --pool workers",
    }.items()
    for name in ("wrong.yaml", "bare.yaml")
]
REFUSALS = [
    *SPECS,
    "render warned.yaml --secrets open.yaml",
    "render warned.yaml --out mine",
    "diff warned.yaml --out nowhere",
    "diff mine out/demo",
    "fingerprint wrong.yaml",
    "runbook wrong.yaml",
    "stale wrong.yaml --against fresh.json",
    "lock bare.yaml --check",
    "bundle bare.yaml --out mine",
    "sbom out/unbaked",
    "explain IG999",
    "explain wrong.yaml",
    "explain warned.yaml --role absent",
    "explain wrong.yaml --role worker-workers",
    "inspect mine/demo/thesis.txt",
    f"inspect {JOIN} --show /absent",
    f"inspect {JOIN} --out mine",
    "token rotate warned.yaml --pool absent",
    "token renew warned.yaml --pool absent",
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # Two control planes: a warning, which is not what a program asked for.
    two = [{"name": f"cp{number}", "address": f"192.168.0.{number}"} for number in (241, 242)]
    warned = spec(controlPlane={"endpoint": "192.168.0.240:6443", "nodes": two})
    for name, data in {
        "warned": warned,
        "wrong": spec(kubernetes={"version": "1.99.0"}),
        "bare": spec(metadata={"name": "bare"}),
    }.items():
        Path(f"{name}.yaml").write_text(yaml.safe_dump(data))
    Path("locked.yaml").write_text(yaml.safe_dump(spec(metadata={"name": "locked"})))
    lock_beside(Path("locked.yaml"), Path("collected"))
    run("secrets", "new", "warned.yaml")
    run("render", "warned.yaml")
    Path("done.log").write_text("imagegen: phase=done status=ok seconds=0.0\n")
    # So that `diff` has a folder to compare with.
    Path("out/bare").symlink_to("demo")
    Path("mine/demo").mkdir(parents=True)
    Path("mine/demo/thesis.txt").write_text("mine")
    described = json.loads(run("fingerprint", "warned.yaml", "--format", "json").stdout)["demo"]
    baked = {**described["contents"], "fingerprint": described["fingerprint"]}
    Path("fresh.json").write_text(json.dumps({"builds": [{"build_time": 1, "custom_data": baked}]}))
    for name in ("out/baked", "out/unbaked"):
        Path(name).mkdir()
    Path("out/baked/inventory.json").write_text(json.dumps(inventory()))
    Path("open.yaml").write_text(Path("demo.secrets.yaml").read_text())


@pytest.mark.parametrize("arguments", RESULTS)
def test_a_result(arguments: str) -> None:
    outcome = run_forked(*arguments.split(), "--format", "json")
    assert outcome.code == 0, outcome.stderr
    document = json.loads(outcome.stdout)
    expected = RESULTS[arguments]
    if isinstance(expected, tuple):
        assert set(expected) <= document.keys()
        warned = "warned.yaml" in arguments
        assert ("warning[" in outcome.stderr) == warned, outcome.stderr
    else:
        assert {finding["severity"] for finding in document} == {"warning"}
        assert outcome.stderr == ""
    held = yaml.safe_load(Path("demo.secrets.yaml").read_text())
    for secret in (*held["tokens"].values(), held["encryptionKey"], held["clusterCA"]["key"].splitlines()[1]):
        assert secret not in outcome.stdout + outcome.stderr


@pytest.mark.parametrize("arguments", REFUSALS)
def test_a_refusal(arguments: str) -> None:
    plain, outcome = run_forked(*arguments.split()), run_forked(*arguments.split(), "--format", "json")
    assert outcome.code == 1
    findings = json.loads(outcome.stdout)["findings"]
    assert findings
    assert all(finding["message"] for finding in findings)
    # A person who reads the log finds there what a terminal would have shown.
    assert outcome.stderr == plain.stderr


def test_every_command_with_the_option_is_here() -> None:
    def commands(command: Any, prefix: str = "") -> list[str]:
        children = getattr(command, "commands", {})
        if children:
            return [name for child in children for name in commands(children[child], f"{prefix}{child} ")]
        return [prefix.strip()] if any("--format" in option.opts for option in command.params) else []

    tried = {" ".join(takewhile(str.isalpha, line.split())) for line in RESULTS}
    assert set(commands(get_command(app))) == tried | {"schema"}


def test_a_render_in_figures() -> None:
    first = json.loads(run_forked("render", "warned.yaml", "--out", "new", "--format", "json").stdout)
    role = next(role for role in first["roles"] if role["name"] == "worker-workers")
    size = Path("new/demo/user-data/worker-workers.yaml").stat().st_size
    assert (role["bytes"], role["limit"], role["share"], role["since"]) == (size, None, None, "new")
    assert role["heaviest"][0]["path"] == "/var/lib/imagegen/kubeadm.yaml"
    (image,) = first["images"]
    assert (image["was"], image["bake"]) == (None, True)
    assert (Path(first["folder"]) / image["folder"] / "image.env").exists()
    assert {path.relative_to("new/demo").as_posix() for path in Path("new/demo").rglob("*") if path.is_file()} == set(
        first["files"]
    )
    again = json.loads(run_forked("render", "warned.yaml", "--out", "new", "--format", "json").stdout)
    assert {role["since"] for role in again["roles"]} == {"same"}
    assert [(image["was"], image["bake"]) for image in again["images"]] == [(image["fingerprint"], False)]
    Path("warned.yaml").write_text(yaml.safe_dump(spec(network={"cni": "none"})))
    other = json.loads(run_forked("render", "warned.yaml", "--out", "new", "--format", "json").stdout)
    assert [(new["was"], new["bake"]) for new in other["images"]] == [(image["fingerprint"], True)]


def test_a_share() -> None:
    Path("aws.yaml").write_text(yaml.safe_dump(spec(provider={"type": "aws", "region": "eu-central-1"})))
    rendered = json.loads(run_forked("render", "aws.yaml", "--out", "new", "--format", "json").stdout)
    for role in rendered["roles"]:
        assert role["share"] == pytest.approx(role["bytes"] / role["limit"], abs=0.0001)
