"""`imagegen diagnose`, as it is called."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.program import run_alone, run_forked
from tests.support.specs import run

WAITING = (
    "[    0.000000] Linux version 6.1.0-44-cloud-amd64 (debian-kernel@lists.debian.org)\r\n"
    "imagegen: phase=wipe status=ok seconds=0.0\r\n"
    'imagegen: phase=settle status=ok seconds=2.1 message="node-1, address 10.0.0.11"\r\n'
    'node-1 login: imagegen: phase=endpoint status=waiting seconds=90.2 reason=refused message="10.0.0.1:6443"\r\n'
)
INIT = (
    "imagegen: phase=guard status=ok seconds=4.0 reason=nothing-answers\n"
    "imagegen: phase=kubeadm-init status=retry seconds=61.5 reason=preflight-failed "
    'message="try 2: [ERROR NumCPU]: the number of available CPUs 1 is less than the required 2; again in 20 s"\n'
)
DONE = "imagegen: phase=kubeadm-join status=ok seconds=9.1\nimagegen: phase=done status=ok seconds=0.0\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in {"w1.log": WAITING, "cp1.log": INIT, "done.log": DONE}.items():
        Path(name).write_text(text)


def test_what_a_person_reads() -> None:
    outcome = run_forked("diagnose", "w1.log", "cp1.log")
    assert outcome.code == 1
    assert outcome.stderr == ""
    assert outcome.stdout == Path(__file__).with_name("diagnosed.txt").read_text()


def test_a_done_node_takes_a_few_lines() -> None:
    outcome = run_forked("diagnose", "done.log")
    assert outcome.code == 0
    assert outcome.stdout.splitlines()[0] == "done.log: done"
    assert len(outcome.stdout.splitlines()) == 6


def test_what_a_program_reads() -> None:
    document = json.loads(run_forked("diagnose", "w1.log", "done.log", "--format", "json").stdout)
    waiting, done = document["nodes"]
    assert (waiting["outcome"], waiting["reason"], waiting["wrong"]) == ("waiting", "refused", True)
    assert (waiting["node"], waiting["address"]) == ("node-1", "10.0.0.11")
    assert waiting["roles"] == ["control-plane-join", "worker"]
    assert [phase["name"] for phase in waiting["phases"]] == ["wipe", "settle", "endpoint"]
    (finding,) = waiting["findings"]
    assert (finding["code"], finding["sure"], finding["line"], finding["quote"]) == (
        "refused",
        "open",
        4,
        "10.0.0.1:6443",
    )
    assert finding["causes"]
    assert (done["outcome"], done["wrong"], done["findings"], done["tries"]) == ("done", False, [], 1)
    assert len(document["together"]) == 1


def test_standard_input() -> None:
    with Path("w1.log").open("rb") as stream:
        outcome = run_alone("diagnose", "-", stdin=stream)
    assert outcome.code == 1
    assert outcome.stdout.startswith("standard input: waiting in endpoint: refused\n")


def test_a_file_that_is_too_large_is_not_half_read() -> None:
    with Path("huge.log").open("wb") as stream:
        stream.truncate(17 << 20)
    outcome = run("diagnose", "w1.log", "huge.log")
    assert outcome.exit_code == 3
    assert outcome.stdout == ""
    assert "huge.log: more than 16,777,216 bytes: give its end, `tail -c 1M huge.log`" in outcome.stderr


def test_a_file_that_is_not_there() -> None:
    outcome = run("diagnose", "w1.log", "absent.log")
    assert outcome.exit_code == 2
    assert "file `absent.log` does not exist" in outcome.stderr


def test_a_terminal_is_not_told_what_to_do() -> None:
    Path("odd.log").write_text(WAITING.replace("10.0.0.1:6443", r"\u001b[2J\u202eoh"))
    outcome = run_forked("diagnose", "odd.log")
    assert "\x1b" not in outcome.stdout
    assert "\u202e" not in outcome.stdout
