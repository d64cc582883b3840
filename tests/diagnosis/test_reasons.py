"""Every reason of first boot, in what a real run of it leaves, is named again from each form of log."""

from __future__ import annotations

from pathlib import Path

import pytest
from bootstrap.reasons import NEXT_STEPS

from imagegen.diagnosis.story import Outcome
from tests.diagnosis import consoles, etcd_troubles, install_troubles, troubles
from tests.diagnosis.scene import NOTES, TROUBLES, Recording, Scene, record
from tests.diagnosis.told import KNOWN, verdict
from tests.firstboot.authority import Authority
from tests.firstboot.machine import Machine
from tests.firstboot.servers import Cluster

# To import them enters every trouble.
__all__ = ["etcd_troubles", "install_troubles", "troubles"]

FORMS = {
    "console": consoles.console,
    "aliyun": lambda lines: consoles.aliyun(consoles.console(lines)),
    "aws": lambda lines: consoles.aws(consoles.console(lines)),
    "journal": consoles.journal_short,
    "json": consoles.journal_json,
    "export": consoles.journal_export,
}
OUTCOMES = {"failed": Outcome.FAILED, "retry": Outcome.RETRY, "waiting": Outcome.WAITING}


@pytest.fixture
def scene(
    machine: Machine, cluster: Cluster, stranger: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Scene:
    return Scene(machine=machine, cluster=cluster, stranger=stranger, patch=monkeypatch, folder=tmp_path)


def test_every_reason_is_run_into() -> None:
    assert set(TROUBLES) == set(NEXT_STEPS) == set(KNOWN.tables.reasons)
    assert set(NOTES) < set(TROUBLES)


def last_status(recording: Recording) -> str:
    return recording.lines[-1].partition("status=")[2].split()[0]


@pytest.mark.parametrize("reason", sorted(set(TROUBLES) - NOTES))
def test_what_a_node_is_stuck_with(scene: Scene, reason: str) -> None:
    recording = record(reason, scene)
    for name, form in FORMS.items():
        found = verdict(form(recording.lines))
        assert found.story.outcome is OUTCOMES[last_status(recording)], name
        assert found.story.trouble, name
        assert found.story.trouble.reason == reason, name
        (finding,) = [finding for finding in found.findings if finding.code == reason]
        assert finding.next_step == NEXT_STEPS[reason]
        assert finding.title == KNOWN.tables.reasons[reason].meaning
        assert finding.quote == recording.status["message"]
        assert found.wrong


@pytest.mark.parametrize("reason", sorted(set(TROUBLES) - NOTES))
def test_the_status_says_the_same(scene: Scene, reason: str) -> None:
    recording = record(reason, scene)
    console, status = verdict(consoles.console(recording.lines)), verdict(consoles.status_file(recording.status))
    assert status.story.outcome is console.story.outcome
    assert status.story.phase in {console.story.phase, console.story.phase.partition("/")[0]}
    assert [finding.code for finding in status.findings] == [finding.code for finding in console.findings]
    assert status.wrong


@pytest.mark.parametrize("reason", sorted(NOTES))
def test_what_is_said_in_passing(scene: Scene, reason: str) -> None:
    recording = record(reason, scene)
    for form in FORMS.values():
        found = verdict(form(recording.lines))
        assert reason in {step.reason for step in found.story.steps}
        assert reason not in {finding.code for finding in found.findings}


def test_a_node_that_is_done(scene: Scene) -> None:
    recording = record("etcd-data", scene)
    for content in (consoles.console(recording.lines), consoles.status_file(recording.status)):
        found = verdict(content)
        assert found.story.outcome is Outcome.DONE
        assert not found.findings
        assert not found.wrong
