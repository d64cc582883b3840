"""What stands in a log beside first boot's own lines."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from bootstrap.etcdwords import MEANINGS, reason_in

from imagegen.catalog.symptoms import Place
from imagegen.cli.diagnosed import diagnosis_as_data
from imagegen.diagnosis.findings import Sure
from imagegen.diagnosis.story import Outcome
from tests.diagnosis import consoles
from tests.diagnosis.told import KNOWN, codes, diagnosed, verdict
from tests.firstboot.documents import TOKEN, WORKER
from tests.firstboot.machine import Machine
from tests.firstboot.servers import Cluster

EXAMPLES = tomllib.loads(Path(__file__).with_name("examples.toml").read_text())
KUBEADM: dict[str, list[str]] = EXAMPLES["kubeadm"]
CONSOLE: dict[str, list[str]] = EXAMPLES["console"]


def cases(examples: dict[str, list[str]]) -> list[Any]:
    return [
        pytest.param(code, text, id=f"{code}-{number}")
        for code, texts in examples.items()
        for number, text in enumerate(texts)
    ]


KUBEADM_CASES, CONSOLE_CASES = cases(KUBEADM), cases(CONSOLE)
DONE = ["imagegen: phase=wipe status=ok seconds=0.0", "imagegen: phase=done status=ok seconds=0.0"]


def failing(machine: Machine, cluster: Cluster, *said: str) -> list[str]:
    """The console and journal of a worker whose kubeadm says this, and ends with code 1."""
    cluster.start()
    machine.stage(WORKER)
    machine.write("/said", "".join(f"{line}\n" for line in said))
    machine.plan("kubeadm-join", *['cat "$root/said"; exit 1'] * 9)
    machine.boot(until=15)
    return machine.lines


def test_every_symptom_has_an_example() -> None:
    known = {place: {facts.code for facts in KNOWN.tables.symptoms if facts.place is place} for place in Place}
    assert known == {Place.KUBEADM: set(KUBEADM), Place.CONSOLE: set(CONSOLE)}


@pytest.mark.parametrize(("code", "text"), KUBEADM_CASES)
def test_kubeadm_s_last_words(machine: Machine, cluster: Cluster, code: str, text: str) -> None:
    said = text if text.startswith("[ERROR ") else f"error: {text}"
    content = consoles.console(failing(machine, cluster, "[preflight] Running pre-flight checks", said))
    found = verdict(content).findings
    assert text[:300] in found[0].quote
    if reason_in(text):
        # The node knows these words itself, and says so.
        assert [finding.code for finding in found] == [code]
        return
    assert [finding.code for finding in found][:-1] == [code]
    assert found[-1].code in {"kubeadm-failed", "preflight-failed"}


OF_ETCD = [case for case in KUBEADM_CASES if str(case.id).startswith("etcd-")]


@pytest.mark.parametrize(("code", "text"), OF_ETCD)
def test_what_nodes_said_before_they_knew_etcd_s_words(code: str, text: str) -> None:
    line = f"imagegen: phase=kubeadm-join status=retry seconds=1.0 reason=kubeadm-failed message={json.dumps(text)}"
    assert codes(consoles.console([line])) == [code, "kubeadm-failed"]


def test_the_node_s_words_of_etcd_are_known_here() -> None:
    signs = {facts.code: facts.sign for facts in KNOWN.tables.symptoms}
    for code, texts in MEANINGS:
        assert all(signs[code].search(text) for text in texts)
        assert {facts.code: facts.causes for facts in KNOWN.tables.symptoms}[code] == KNOWN.tables.reasons[code].causes


def test_what_else_etcd_s_trouble_shows() -> None:
    (expired,) = KUBEADM["certificate-expired"]
    words = f"error syncing endpoints with etcd: {expired}"
    line = f"imagegen: phase=kubeadm-join status=retry seconds=1.0 reason=etcd-unhealthy message={json.dumps(words)}"
    assert codes(consoles.console([line])) == ["certificate-expired", "etcd-unhealthy"]


@pytest.mark.parametrize(("code", "text"), KUBEADM_CASES)
def test_what_kubeadm_said_before_its_last_words(
    machine: Machine, cluster: Cluster, code: str, text: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """The journal has all of it, whatever the last line is."""
    failing(machine, cluster, text, "error: it did not work")
    journal = capfd.readouterr().out.splitlines()
    assert codes(consoles.journal_short(journal))[0] == code


@pytest.mark.parametrize(("code", "text"), CONSOLE_CASES)
def test_a_console_without_first_boot(code: str, text: str) -> None:
    found = verdict(consoles.console([], before=[*consoles.KERNEL, *consoles.SYSTEMD, text]))
    assert found.story.outcome is Outcome.SILENT
    assert found.findings[0].code == code
    assert found.findings[0].quote == text.strip()
    assert found.wrong
    # How far the boot came is told where the sign is no more than that.
    others = {finding.code for finding in found.findings[1:]}
    assert bool(others) is (found.findings[0].sure is Sure.LIKELY)
    assert others <= {"no-cloud-init", "cloud-init-unfinished"}


@pytest.mark.parametrize(("code", "text"), CONSOLE_CASES)
def test_what_counts_on_a_node_that_is_done(code: str, text: str) -> None:
    grave = {facts.code for facts in KNOWN.tables.symptoms if facts.grave}
    found = verdict(consoles.console([*DONE, text]))
    assert [finding.code for finding in found.findings] == ([code] if code in grave else [])
    assert found.wrong is (code in grave)


@pytest.mark.parametrize(("code", "work"), [("renewal-failed", "renewal"), ("snapshot-failed", "etcd-snapshot")])
def test_only_the_last_line_of_each_upkeep_counts(code: str, work: str) -> None:
    (failed,) = CONSOLE[code]
    good = f'imagegen: upkeep={work} status=ok message="it is done"'
    assert codes(consoles.console([*DONE, failed, good])) == []
    assert codes(consoles.console([*DONE, good, failed, failed])) == [code]


def test_daily_life_is_no_symptom() -> None:
    lines = [
        "[  300.1] Memory cgroup out of memory: Killed process 991 (java) total-vm:1kB",
        "[  300.2] oom_reaper: reaped process 991 (java), now anon-rss:0kB",
        "[    1.0] EXT4-fs (vda1): mounted filesystem with ordered data mode",
        "[  OK  ] Finished systemd-fsck-root.service - File System Check on Root Device.",
        "[    5.9] cloud-init[412]: ci-info: |   lo   | False |     .     |     .     |   .   |    .    |",
        "imagegen-bootstrap.service: Main process exited, code=exited, status=78/CONFIG",
    ]
    assert codes(consoles.console([*DONE, *lines])) == []
    waiting = "imagegen: phase=endpoint status=waiting seconds=1.0 reason=refused"
    assert codes(consoles.console([*lines, DONE[0], waiting])) == ["refused"]


def test_a_special_sign_is_not_told_twice(machine: Machine, cluster: Cluster) -> None:
    (text,) = KUBEADM["certificate-not-yet-valid"]
    assert codes(consoles.console(failing(machine, cluster, f"error: {text}"))) == [
        "certificate-not-yet-valid",
        "preflight-failed",
    ]


def test_each_check_that_failed_is_told(machine: Machine, cluster: Cluster) -> None:
    said = [text for code in ("preflight-swap", "preflight-port") for text in KUBEADM[code]]
    found = codes(consoles.console(failing(machine, cluster, *(f"\t{text}" for text in said), "error: checks failed")))
    assert found == ["preflight-swap", "preflight-port", "kubeadm-failed"]


def test_a_token_that_may_have_expired_may_as_well_never_have_been() -> None:
    for code in ("token-not-signed", "token-unknown"):
        causes = {facts.code: facts.causes for facts in KNOWN.tables.symptoms}.get(code) or KNOWN.tables.reasons[
            code
        ].causes
        assert any("expired" in cause for cause in causes)
        assert any("never in this cluster" in cause for cause in causes)


def test_secrets_are_masked() -> None:
    said = f"error: No space left on device: kubeadm join 10.0.0.1:6443 --token {TOKEN} --certificate-key {'ab' * 32}"
    line = f"imagegen: phase=kubeadm-join status=retry seconds=1.0 reason=kubeadm-failed message={json.dumps(said)}"
    found = diagnosed(node=consoles.console(["imagegen: phase=wipe status=ok seconds=0.0", said, line]))
    shown = json.dumps(diagnosis_as_data(found))
    assert "No space left" in shown
    assert TOKEN not in shown
    assert "ab" * 32 not in shown
    assert "abcdef.******" in shown


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([], "not-a-log"),
        (["BIOS says hello"], "not-a-log"),
        (consoles.KERNEL, "boot-stopped-early"),
        ([*consoles.KERNEL, *consoles.SYSTEMD], "no-cloud-init"),
        (["Debian GNU/Linux 12 node-1 ttyS0", "node-1 login: "], "no-cloud-init"),
        ([*consoles.KERNEL, *consoles.SYSTEMD, *consoles.CLOUD_INIT], "cloud-init-unfinished"),
        ([*consoles.KERNEL, *consoles.CLOUD_INIT, *consoles.FINISHED], "first-boot-silent"),
        (
            [
                *consoles.CLOUD_INIT,
                *consoles.FINISHED,
                "[  OK  ] Started imagegen-bootstrap.service - Make this machine…",
            ],
            "first-boot-started",
        ),
    ],
)
def test_how_far_a_boot_came_in_which_first_boot_says_nothing(lines: list[str], code: str) -> None:
    found = verdict(consoles.console([], before=lines))
    assert [finding.code for finding in found.findings] == [code]
    assert found.findings[0].sure is Sure.OPEN
    assert len(found.findings[0].causes) > 1
