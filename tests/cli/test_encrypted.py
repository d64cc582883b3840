"""Encrypted bundles, as a user meets them: no command writes plain text, and each one can be opened again."""

from __future__ import annotations

import os
import subprocess
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import yaml
from typer.testing import Result

from tests.cli.test_commands import join_token
from tests.support.age import Key, new_key
from tests.support.specs import run, spec

PLAIN, ENCRYPTED = Path("demo.secrets.yaml"), Path("demo.secrets.yaml.age")
SPEC = Path("demo.yaml")


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Key:
    """A key that opens the bundle of the spec in this folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("IMAGEGEN_AGE_KEY_FILE", raising=False)
    SPEC.write_text(yaml.safe_dump(spec()))
    key = new_key(tmp_path)
    assert run("secrets", "new", SPEC, "--recipient", key.recipient).exit_code == 0
    return key


@pytest.fixture
def named(key: Key, monkeypatch: pytest.MonkeyPatch) -> Key:
    """The same, with the key named in the environment."""
    monkeypatch.setenv("IMAGEGEN_AGE_KEY_FILE", str(key.file))
    return key


def content(key: Key) -> dict[str, object]:
    """What is in the bundle."""
    result = run("secrets", "decrypt", SPEC, "--secrets", ENCRYPTED, "--identity", key.file)
    data: dict[str, object] = yaml.safe_load(result.stdout)
    return data


def refused(result: Result, *words: str) -> None:
    assert result.exit_code == 1
    for word in words:
        assert word in result.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("secrets", "check"),
        ("secrets", "show"),
        ("secrets", "decrypt"),
        ("render",),
        ("diff",),
        ("kubeconfig",),
        ("token", "rotate", "--pool", "workers"),
        ("token", "renew", "--pool", "workers"),
    ],
)
def test_every_command_opens_it_and_asks_for_the_key(command: tuple[str, ...], key: Key) -> None:
    run("render", SPEC, "--identity", key.file)
    refused(run(*command, SPEC), "the bundle is encrypted", "--identity FILE", "IMAGEGEN_AGE_KEY_FILE")
    assert run(*command, SPEC, "--identity", key.file).exit_code == 0
    assert run(*command, SPEC, "--identity", key.file, "--secrets", ENCRYPTED).exit_code == 0
    assert not PLAIN.exists()


def test_others_may_read_it_and_git_may_track_it(named: Key) -> None:
    assert ENCRYPTED.stat().st_mode & 0o777 == 0o644
    for command in (["init", "--quiet"], ["add", str(SPEC), str(ENCRYPTED)]):
        subprocess.run(["git", *command], check=True)
    assert run("render", SPEC).exit_code == 0
    subprocess.run(["git", "add", str(named.file)], check=True)
    refused(run("render", SPEC), "git tracks the key")


def test_no_secret_stands_in_it(named: Key) -> None:
    tokens = content(named)["tokens"]
    assert isinstance(tokens, dict)
    assert tokens["workers"] not in ENCRYPTED.read_text()


def test_rotation_encrypts_to_the_same_recipients(named: Key, tmp_path: Path) -> None:
    other = new_key(tmp_path, "ssh-ed25519", name="other")
    changed = run("secrets", "encrypt", SPEC, "--recipient", named.recipient, "--recipient", other.recipient)
    assert changed.exit_code == 0, changed.stderr
    ENCRYPTED.chmod(0o640)
    rotated = run("token", "rotate", SPEC, "--pool", "workers")
    assert rotated.exit_code == 0, rotated.stderr
    assert "encrypted to 2 recipients" in rotated.stdout
    assert ENCRYPTED.stat().st_mode & 0o777 == 0o640
    for key in (named, other):
        assert content(key)["recipients"] == [named.recipient, other.recipient]
        assert content(key)["tokens"]["workers"] == join_token("worker-workers")  # type: ignore[index]


def test_a_pool_added_later(named: Key) -> None:
    run("render", SPEC)
    token = join_token("worker-workers")
    SPEC.write_text(yaml.safe_dump(spec(nodePools=[{"name": "workers"}, {"name": "gpu"}])))
    refused(run("render", SPEC), "IG303", "no token for the pool `gpu`", "token rotate")
    refused(run("secrets", "check", SPEC), "IG303")
    rotated = run("token", "rotate", SPEC, "--pool", "gpu")
    assert rotated.exit_code == 0, rotated.stderr
    assert "kubectl apply -f out/demo/tokens/gpu.yaml" in rotated.stdout
    assert "retire" not in rotated.stdout
    secret = yaml.safe_load(Path("out/demo/tokens/gpu.yaml").read_text())["stringData"]
    assert f"{secret['token-id']}.{secret['token-secret']}" == join_token("worker-gpu")
    assert join_token("worker-workers") == token
    assert content(named)["recipients"] == [named.recipient]
    assert run("secrets", "check", SPEC).exit_code == 0
    assert not PLAIN.exists()


def test_a_bundle_that_forgot_its_recipients_is_not_rewritten(named: Key) -> None:
    before = run("secrets", "decrypt", SPEC).stdout
    data = yaml.safe_load(before)
    del data["recipients"]
    import pyrage  # noqa: PLC0415  as `age` by hand would

    recipient = pyrage.x25519.Recipient.from_str(named.recipient)
    ENCRYPTED.write_bytes(pyrage.encrypt(yaml.safe_dump(data).encode(), [recipient]))
    kept = ENCRYPTED.read_bytes()
    refused(run("token", "rotate", SPEC, "--pool", "workers"), "does not say to whom", "secrets encrypt")
    assert ENCRYPTED.read_bytes() == kept
    refused(run("secrets", "encrypt", SPEC), "to whom?")
    assert run("secrets", "encrypt", SPEC, "--recipient", named.recipient).exit_code == 0
    assert run("token", "rotate", SPEC, "--pool", "workers").exit_code == 0


def test_a_recipient_that_was_spoilt_by_hand(named: Key) -> None:
    assert run("secrets", "decrypt", SPEC, "--out", PLAIN).exit_code == 0
    PLAIN.write_text(PLAIN.read_text().replace(named.recipient, f"{named.recipient}x"))
    kept = ENCRYPTED.read_bytes()
    ENCRYPTED.unlink()
    refused(run("secrets", "encrypt", SPEC), "cannot be encrypted: recipients: not an age1")
    assert not ENCRYPTED.exists()
    ENCRYPTED.write_bytes(kept)


def test_a_key_through_a_pipe_is_read_once(key: Key) -> None:
    pipe = Path("pipe")
    os.mkfifo(pipe)
    for command in (("token", "rotate", "--pool", "workers"), ("secrets", "check"), ("render",)):
        with subprocess.Popen(["cp", str(key.file), str(pipe)]) as writer:
            assert run(*command, SPEC, "--identity", pipe).exit_code == 0
            assert writer.wait() == 0


@pytest.mark.usefixtures("key")
def test_a_key_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGEGEN_AGE_KEY_FILE", "nowhere.txt")
    with pytest.raises(FileNotFoundError, match=r"nowhere\.txt"):
        run("render", SPEC)


def test_from_encrypted_to_plain_and_back(named: Key) -> None:
    assert run("secrets", "decrypt", SPEC, "--out", PLAIN).exit_code == 0
    assert PLAIN.stat().st_mode & 0o777 == 0o600
    refused(run("render", SPEC), "both demo.secrets.yaml and demo.secrets.yaml.age", "--secrets")
    refused(run("secrets", "decrypt", SPEC, "--secrets", ENCRYPTED, "--out", PLAIN), "such a file already")
    text = PLAIN.read_text()
    ENCRYPTED.unlink()
    refused(run("secrets", "decrypt", SPEC), "it is not encrypted")
    assert "not encrypted" in run("secrets", "check", SPEC).stdout
    # A plain bundle stays one, although it remembers its recipients.
    assert run("token", "rotate", SPEC, "--pool", "control-plane").exit_code == 0
    assert PLAIN.read_text() != text
    said = run("secrets", "encrypt", SPEC).stdout
    assert "rm demo.secrets.yaml" in said
    assert yaml.safe_load(PLAIN.read_text()) == content(named)
    refused(run("secrets", "encrypt", SPEC, "--secrets", PLAIN), "there is a bundle already")
    PLAIN.unlink()
    assert run("render", SPEC).exit_code == 0


def test_an_encrypted_bundle_under_another_name(key: Key) -> None:
    other = ENCRYPTED.rename("elsewhere.yaml")
    assert run("render", SPEC, "--secrets", other, "--identity", key.file).exit_code == 0


def test_a_second_bundle_is_refused(key: Key) -> None:
    before = ENCRYPTED.read_bytes()
    for arguments in ((), ("--recipient", key.recipient), ("--secrets", ENCRYPTED)):
        refused(run("secrets", "new", SPEC, *arguments), "there is a bundle already")
    assert ENCRYPTED.read_bytes() == before
    assert not PLAIN.exists()
    ENCRYPTED.unlink()
    assert run("secrets", "new", SPEC).exit_code == 0
    refused(run("secrets", "new", SPEC, "--recipient", key.recipient), "there is a bundle already")


def test_recipients_from_a_file(key: Key, tmp_path: Path) -> None:
    ENCRYPTED.unlink()
    other = new_key(tmp_path, "ssh-rsa", name="other")
    team = Path("team.txt")
    team.write_text(f"# the team\n{other.recipient}\nbob\n")
    refused(run("secrets", "new", SPEC, "--recipients-file", team), "team.txt:3:1: not an age1")
    assert not ENCRYPTED.exists()
    team.write_text(f"# the team\n{other.recipient}\n{key.recipient}\n")
    made = run("secrets", "new", SPEC, "--recipients-file", team, "--recipient", key.recipient)
    assert made.exit_code == 0
    assert "2 recipients" in made.stdout
    assert run("secrets", "check", SPEC, "--identity", other.file).exit_code == 0


def test_a_private_key_given_as_a_recipient_is_not_repeated(key: Key) -> None:
    secret = key.file.read_text().splitlines()[-1]
    result = run("secrets", "encrypt", SPEC, "--identity", key.file, "--recipient", secret)
    refused(result, "--recipient 1: not an age1")
    assert secret not in result.output


def test_importing_into_an_encrypted_bundle(named: Key) -> None:
    data = yaml.safe_load(run("secrets", "decrypt", SPEC).stdout)
    ENCRYPTED.unlink()
    pki = Path("pki")
    (pki / "etcd").mkdir(parents=True)
    for name, file in (("clusterCA", "ca"), ("etcdCA", "etcd/ca"), ("frontProxyCA", "front-proxy-ca")):
        (pki / f"{file}.crt").write_text(data[name]["certificate"])
        (pki / f"{file}.key").write_text(data[name]["key"])
    (pki / "sa.pub").write_text(data["serviceAccount"]["public"])
    (pki / "sa.key").write_text(data["serviceAccount"]["private"])
    imported = run("secrets", "import", SPEC, "--pki", pki, "--recipient", named.recipient)
    assert imported.exit_code == 0, imported.stderr
    assert not PLAIN.exists()
    assert content(named)["clusterCA"] == data["clusterCA"]


def test_show_names_the_recipients_and_no_secret(named: Key) -> None:
    for form in ("text", "json"):
        shown = run("secrets", "show", SPEC, "--format", form).stdout
        assert named.recipient in shown
        assert "PRIVATE" not in shown
        assert "AGE-SECRET-KEY" not in shown


def test_a_broken_document_inside_is_not_repeated(named: Key) -> None:
    text = run("secrets", "decrypt", SPEC).stdout
    token = yaml.safe_load(text)["tokens"]["workers"]
    import pyrage  # noqa: PLC0415  as `age` by hand would

    recipient = pyrage.x25519.Recipient.from_str(named.recipient)
    broken = text.replace(f"workers: {token}", f"workers: {token}: {token}")
    ENCRYPTED.write_bytes(pyrage.encrypt(broken.encode(), [recipient]))
    result = run("render", SPEC)
    refused(result, "demo.secrets.yaml.age:", "IG301")
    assert token not in result.output
    # What cannot be read can still be taken out and mended.
    assert run("secrets", "decrypt", SPEC).stdout == broken


def test_nothing_plain_is_written_on_the_way(named: Key, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever is written while a bundle changes: no file of it holds a key."""
    from imagegen import output  # noqa: PLC0415  only to look over its shoulder

    written: list[str] = []
    real = output._staged  # noqa: SLF001  every file that a command writes by itself goes through it

    def watched(path: Path, text: str, mode: int) -> AbstractContextManager[Path]:
        if "secrets" in path.name:
            written.append(text)
        return real(path, text, mode)

    monkeypatch.setattr(output, "_staged", watched)
    assert run("token", "rotate", SPEC, "--pool", "workers").exit_code == 0
    assert run("secrets", "encrypt", SPEC, "--recipient", named.recipient).exit_code == 0
    assert len(written) == 2
    assert all(text.startswith("-----BEGIN AGE ENCRYPTED FILE-----") for text in written)
    assert not [path for path in tmp_path.iterdir() if "secrets" in path.name and path != tmp_path / ENCRYPTED]
