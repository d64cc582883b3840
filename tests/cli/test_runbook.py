"""`imagegen runbook`: with a bundle, without one, before a render and after it."""

from __future__ import annotations

import stat
from pathlib import Path

import pyrage
import pytest
import yaml

from imagegen.runbook import PAGES
from tests.support.specs import run, spec

FOLDER = Path("out/demo/runbook")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("IMAGEGEN_AGE_KEY_FILE", raising=False)
    Path("demo.yaml").write_text(yaml.safe_dump(spec()))


def token_id(bundle: str = "demo.secrets.yaml") -> str:
    token: str = yaml.safe_load(Path(bundle).read_text())["tokens"]["workers"]
    return token.partition(".")[0]


def test_without_a_bundle_it_lacks_the_ids() -> None:
    made = run("runbook", "demo.yaml")
    assert made.exit_code == 0
    assert "the secrets bundle was not read" in made.stderr
    assert {path.name for path in FOLDER.iterdir()} == {f"{page}.md" for page in PAGES}
    assert "| `workers` | not read |" in (FOLDER / "tokens.md").read_text()
    assert "imagegen secrets show demo.yaml" in (FOLDER / "README.md").read_text()


def test_with_a_bundle_it_has_them_and_no_secret() -> None:
    run("secrets", "new", "demo.yaml")
    made = run("runbook", "demo.yaml")
    assert made.stderr == ""
    assert f"| `workers` | `{token_id()}` |" in (FOLDER / "tokens.md").read_text()
    bundle = yaml.safe_load(Path("demo.secrets.yaml").read_text())
    secrets = [token.partition(".")[2] for token in bundle["tokens"].values()] + [bundle["encryptionKey"]]
    for page in FOLDER.iterdir():
        assert not [secret for secret in secrets if secret in page.read_text()]
        assert stat.S_IMODE(page.stat().st_mode) == 0o644


def test_an_encrypted_bundle_is_opened_by_its_key_alone() -> None:
    identity = pyrage.x25519.Identity.generate()
    Path("key.txt").write_text(str(identity))
    run("secrets", "new", "demo.yaml", "--recipient", str(identity.to_public()))
    assert "was not read" in run("runbook", "demo.yaml").stderr
    assert run("runbook", "demo.yaml", "--identity", "key.txt").stderr == ""
    named = run("runbook", "demo.yaml", "--secrets", "demo.secrets.yaml.age")
    assert (named.exit_code, "the bundle is encrypted" in named.stderr) == (1, True)


def test_a_bundle_that_is_named_must_be_there_and_stands_in_the_commands() -> None:
    assert run("runbook", "demo.yaml", "--secrets", "absent.yaml").exit_code == 1
    run("secrets", "new", "demo.yaml", "--secrets", "mine.yaml")
    run("runbook", "demo.yaml", "--secrets", "mine.yaml")
    assert 'token renew "$SPEC" --secrets mine.yaml --pool' in (FOLDER / "tokens.md").read_text()


def test_it_writes_all_of_its_folder_and_leaves_what_is_not_its_own() -> None:
    FOLDER.mkdir(parents=True)
    (FOLDER / "check.md").write_text("old")
    (FOLDER / "notes.md").write_text("mine")
    run("runbook", "demo.yaml")
    assert (FOLDER / "check.md").read_text() != "old"
    assert (FOLDER / "notes.md").read_text() == "mine"


def test_a_render_takes_its_folder_for_no_stranger_s_and_keeps_it() -> None:
    run("secrets", "new", "demo.yaml")
    run("runbook", "demo.yaml")
    run("token", "renew", "demo.yaml", "--pool", "workers")
    before = (FOLDER / "check.md").read_text()
    for _ in range(2):
        assert run("render", "demo.yaml").exit_code == 0
        assert (FOLDER / "check.md").read_text() == before
        assert Path("out/demo/tokens/workers.yaml").exists()
    assert "imagegen runbook SPEC" in Path("out/demo/README.md").read_text()


def test_control_planes_that_keep_the_endpoint_are_told_of_a_new_one() -> None:
    named = "`unicast_peer` of `/etc/keepalived/machine.conf`"
    run("runbook", "demo.yaml")
    assert named not in (FOLDER / "add-a-node.md").read_text()
    nodes = [{"name": f"cp{number}", "address": f"192.168.0.1{number}"} for number in (1, 2, 3)]
    plane = {"endpoint": "192.168.0.250:8443", "highAvailability": {"type": "keepalived"}, "nodes": nodes}
    Path("demo.yaml").write_text(yaml.safe_dump(spec(controlPlane=plane)))
    run("runbook", "demo.yaml")
    assert named in (FOLDER / "add-a-node.md").read_text()
    assert "in step 3" in (FOLDER / "replace-a-control-plane.md").read_text()
