"""Logs that are cut, wrapped, repeated, or none at all."""

from __future__ import annotations

import base64
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagegen.cli.diagnosed import diagnosis_as_data, show_diagnosis
from imagegen.diagnosis.reading import MAX_BYTES, Kind, read_log
from imagegen.diagnosis.story import Outcome
from tests.diagnosis import consoles
from tests.diagnosis.told import KNOWN, codes, diagnosed, verdict
from tests.firstboot.documents import INIT, JOIN, SHARED, WORKER
from tests.firstboot.machine import Machine
from tests.firstboot.servers import Cluster

WIPE = "imagegen: phase=wipe status=ok seconds=0.0"
DONE = "imagegen: phase=done status=ok seconds=0.0"
REFUSED = 'imagegen: phase=endpoint status=waiting seconds=30.1 reason=refused message="10.0.0.1:6443: refused"'


@pytest.fixture
def waiting(machine: Machine) -> list[str]:
    """The lines of a worker that waits for its endpoint."""
    machine.stage(WORKER)
    machine.boot(until=100)
    return machine.lines


def outcome(content: bytes) -> Outcome:
    return verdict(content).story.outcome


def test_every_form_is_known_by_what_is_in_it(waiting: list[str]) -> None:
    plain = consoles.console(waiting)
    forms = {
        plain: (Kind.CONSOLE, ""),
        base64.encodebytes(plain): (Kind.CONSOLE, ""),
        consoles.aliyun(plain): (Kind.CONSOLE, "i-bp1"),
        consoles.aws(plain): (Kind.CONSOLE, "i-0ab"),
        consoles.aws(base64.b64encode(plain)): (Kind.CONSOLE, "i-0ab"),
        json.dumps(plain.decode()).encode(): (Kind.CONSOLE, ""),
        json.dumps({"contents": plain.decode(), "kind": "compute#serialPortOutput"}).encode(): (Kind.CONSOLE, ""),
        consoles.aliyun(plain).decode().encode("utf-16"): (Kind.CONSOLE, "i-bp1"),
        b"\xef\xbb\xbf" + plain: (Kind.CONSOLE, ""),
        consoles.journal_short(waiting): (Kind.CONSOLE, ""),
        consoles.journal_json(waiting): (Kind.JOURNAL, ""),
        consoles.journal_export(waiting): (Kind.JOURNAL, ""),
    }
    for content, (kind, machine) in forms.items():
        found = verdict(content)
        assert (found.kind, found.machine) == (kind, machine)
        assert (found.story.phase, found.story.node, found.story.address) == ("endpoint", "node-1", "192.168.0.11")
        assert found.story.trouble
        assert found.story.trouble.reason == "refused"


def test_the_number_of_a_line_is_an_editor_s(waiting: list[str]) -> None:
    content = consoles.console(waiting)
    (finding,) = verdict(content).findings
    line = content.decode().split("\n")[finding.line - 1]
    assert line.startswith("imagegen: phase=endpoint status=waiting")


@pytest.mark.parametrize("size", [64, 200, 300, 400, 500, 600])
def test_a_tail_begins_in_the_middle_of_a_line(waiting: list[str], size: int) -> None:
    found = verdict(consoles.console(waiting)[-size:])
    assert found.story.outcome in {Outcome.WAITING, Outcome.SILENT}
    assert found.wrong


def test_a_log_may_end_in_the_middle_of_a_line(waiting: list[str]) -> None:
    content = consoles.console(waiting)
    start = content.rindex(b"imagegen: phase=endpoint")
    for end in range(start, len(content)):
        found = verdict(content[:end])
        assert found.story.outcome is Outcome.WAITING
        assert found.wrong


def test_what_is_left_of_a_message_is_shown() -> None:
    (finding,) = verdict(REFUSED[:-5].encode()).findings
    assert finding.quote == "10.0.0.1:6443: ref…"


def test_a_line_of_the_kernel_s_behind_ours() -> None:
    (finding,) = verdict(f"{REFUSED}[   31.2] IPv6: ADDRCONF\n".encode()).findings
    assert finding.quote == "10.0.0.1:6443: refused"


def test_the_last_boot_counts(waiting: list[str]) -> None:
    first = consoles.console([WIPE, "imagegen: phase=contract status=failed seconds=0.0 reason=pki-missing"])
    found = verdict(first + consoles.console(waiting))
    assert found.boots == 2
    assert found.story.trouble
    assert found.story.trouble.reason == "refused"


def test_what_an_earlier_boot_complained_of_is_over(waiting: list[str]) -> None:
    first = consoles.console(["[  1.3] Kernel panic - not syncing: VFS"])
    assert codes(first + consoles.console(waiting)) == ["refused"]


def test_a_boot_in_which_first_boot_has_said_nothing_yet(waiting: list[str]) -> None:
    found = verdict(consoles.console(waiting) + consoles.console([]))
    assert [finding.code for finding in found.findings] == ["refused", "rebooted"]


def test_a_done_node_that_was_started_again() -> None:
    content = consoles.console([WIPE, DONE]) + consoles.console([WIPE, *consoles.FINISHED])
    found = verdict(content)
    assert (found.story.outcome, found.findings, found.wrong) == (Outcome.DONE, (), False)


def test_of_a_done_node_the_log_may_show_the_wipe_alone() -> None:
    found = verdict(consoles.console([WIPE, *consoles.FINISHED]))
    assert found.story.outcome is Outcome.DONE
    assert [(finding.code, str(finding.sure)) for finding in found.findings] == [("done-before", "likely")]


def test_a_log_that_ends_with_the_wipe_says_nothing_of_the_sort() -> None:
    found = verdict(consoles.console([WIPE]))
    assert found.story.outcome is Outcome.RUNNING
    assert [finding.code for finding in found.findings] == ["running"]


def test_a_reboot_of_a_node_that_is_not_done_starts_over(waiting: list[str]) -> None:
    assert outcome(consoles.console(waiting) + consoles.console(waiting[:5])) is Outcome.RUNNING


def test_a_try_that_failed_is_remembered_while_the_next_one_runs(machine: Machine, cluster: Cluster) -> None:
    cluster.start()
    machine.stage(WORKER)
    machine.plan("kubeadm-join", "echo 'error: no'; exit 1")
    machine.boot()
    last_try = next(number for number, line in enumerate(machine.lines) if "kubeadm-join status=ok" in line)
    found = verdict(consoles.console(machine.lines[:last_try]))
    assert found.story.outcome is Outcome.RUNNING
    assert [finding.code for finding in found.findings] == ["kubeadm-failed", "running"]
    done = verdict(consoles.console(machine.lines))
    assert (done.story.outcome, done.findings, done.story.tries) == (Outcome.DONE, (), 2)
    assert next(step.tries for step in done.story.steps if step.name == "kubeadm-join") == 1


def test_a_wait_that_is_over_is_no_trouble(machine: Machine, cluster: Cluster) -> None:
    machine.stage(WORKER)
    machine.clock.at(40, cluster.start)
    machine.boot()
    joined = next(number for number, line in enumerate(machine.lines) if "phase=kubeadm-join" in line)
    assert any("reason=refused" in line for line in machine.lines[:joined])
    assert codes(consoles.console(machine.lines[:joined])) == ["running"]


def test_colours_are_no_part_of_a_line() -> None:
    line = "[\x1b[0;1;31mFAILED\x1b[0m] Failed to start \x1b[0;1;39mcloud-final.service\x1b[0m - Execute scripts."
    found = verdict(consoles.console([], before=[*consoles.KERNEL, line])).findings[0]
    assert (found.code, found.quote) == (
        "cloud-init-failed",
        "[FAILED] Failed to start cloud-final.service - Execute scripts.",
    )


def test_roles_that_a_console_leaves_open(machine: Machine, cluster: Cluster, waiting: list[str]) -> None:
    assert verdict(consoles.console(waiting)).story.roles == ("control-plane-join", "worker")
    # The guard may have been before the cut.
    assert len(verdict(consoles.console(waiting[-1:])).story.roles) == 3
    cluster.start()
    machine.stage(INIT)
    machine.boot(until=100)
    assert verdict(consoles.console(machine.lines[len(waiting) :])).story.roles == ("control-plane-init",)


def test_a_control_plane_is_told_from_a_worker_by_what_it_does_alone(machine: Machine, cluster: Cluster) -> None:
    cluster.start()
    machine.stage(JOIN)
    machine.boot(until=10)
    assert verdict(consoles.console(machine.lines)).story.roles == ("control-plane-join",)
    assert verdict(consoles.console(machine.lines[-1:])).story.roles == ("control-plane-init", "control-plane-join")


@pytest.mark.parametrize(
    ("first", "role", "awaited"),
    [(["node-1"], "control-plane-init", ""), (["cp0", "10.0.0.9"], "control-plane-join", "10.0.0.9 or cp0")],
)
def test_shared_user_data_tells_the_role(machine: Machine, first: list[str], role: str, awaited: str) -> None:
    machine.stage(SHARED, firstNode=first)
    machine.boot(until=8 if awaited else None)
    for content in (consoles.console(machine.lines), consoles.journal_json(machine.lines)):
        story = verdict(content).story
        assert (story.node, story.address, story.roles) == ("node-1", "192.168.0.11", (role,))
        assert (story.shared, story.awaited) == (True, awaited)
    assert verdict(consoles.status_file(machine.status)).story.roles == (role,)


def test_before_it_has_settled_shared_user_data_leaves_the_role_open(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    machine.stage(SHARED, firstNode=["node-1"])
    machine.answer("ip", "[]")
    machine.boot(until=8)
    found = diagnosed(node=consoles.status_file(machine.status))
    assert found.verdicts[0].story.roles == ("control-plane-init", "control-plane-join")
    show_diagnosis(found)
    assert "  read as a status.json, control-plane-init or control-plane-join\n" in capsys.readouterr().out


def test_boots_of_a_journal(waiting: list[str]) -> None:
    for form in (consoles.journal_json, consoles.journal_export):
        found = verdict(form([WIPE, DONE], boot="a" * 32) + form(waiting))
        assert found.boots == 2
        assert found.story.outcome is Outcome.WAITING


def test_a_status_of_a_node_at_work_names_the_phase_that_it_is_in(machine: Machine, cluster: Cluster) -> None:
    cluster.start()
    machine.stage(WORKER)
    machine.plan("kubeadm-join", f'cp "{machine.paths.status}" "$root/seen.json"')
    assert machine.boot() == 0
    found = verdict(machine.read("seen.json").encode())
    assert found.story.outcome is Outcome.RUNNING
    assert [finding.title for finding in found.findings] == [
        "first boot was at work when the log ends, in `kubeadm-join`"
    ]


def test_what_a_kubelet_complains_of_is_not_kubeadm_s(
    machine: Machine, cluster: Cluster, capfd: pytest.CaptureFixture[str]
) -> None:
    cluster.start()
    machine.stage(WORKER)
    machine.plan("kubeadm-join", *["echo 'error: something new'; exit 1"] * 9)
    machine.boot(until=15)
    lines = capfd.readouterr().out.splitlines()
    retry = max(number for number, line in enumerate(lines) if "status=retry" in line)
    other = "x509: certificate signed by unknown authority"
    lines.insert(retry, f"kubelet[812]: E1122 {other}")
    assert codes(consoles.journal_short(lines)) == ["kubeadm-failed"]
    lines.insert(retry, f"python3[612]: {other}")
    assert codes(consoles.journal_short(lines))[0] == "unknown-authority"


@pytest.mark.parametrize("between", [f"-- Boot {'c' * 32} --", "-- Reboot --"])
def test_boots_of_a_printed_journal(waiting: list[str], between: str) -> None:
    content = consoles.journal_short([WIPE, DONE]) + f"{between}\n".encode() + consoles.journal_short(waiting)
    assert verdict(content).boots == 2
    assert outcome(content) is Outcome.WAITING


def test_a_reason_that_this_version_does_not_know() -> None:
    status = {"phase": "settle", "status": "waiting", "reason": "new", "nextStep": "Wait for spring.", "phases": []}
    (finding,) = verdict(json.dumps(status).encode()).findings
    assert (finding.code, str(finding.sure), finding.next_step) == ("new", "open", "Wait for spring.")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 1000,
        b"\xff\xfea",
        b"{",
        b"[" * 100_000,
        b'{"phases": [1, null, {}]}',
        b'{"phases": [{"seconds": 1e999, "name": 7}], "tries": 1e999, "status": []}',
        b'{"phases": [], "status": "waiting", "reason": ["a"]}',
        b'{"Output": "' + base64.b64encode(b"\xff\xfe\x00") * 30 + b'"}',
        b'"\\ud800"',
        b"__CURSOR=s\nMESSAGE\n\xff\xff\xff\xff\xff\xff\xff\xffimagegen: phase=",
        b"__CURSOR=s\n_BOOT_ID=1\nMESSAGE\n",
        b'{"MESSAGE": [1, 999, "x", null], "_BOOT_ID": 7}\n{"MESSAGE": {"a": 1}, "_BOOT_ID": null}\n{"MESS',
        b"\x1b]0;title without an end",
        b"\x1b[\x1b[0m\x1b",
        b"imagegen: phase=",
        b'imagegen: phase=settle status=ok seconds=0.0 message="\\ud800',
        b'imagegen: phase=install step=x status=retry seconds=1.0 reason=no-such message="',
    ],
)  # fmt: skip
def test_odd_files(content: bytes) -> None:
    found = diagnosed(node=content)
    show_diagnosis(found)
    json.dumps(diagnosis_as_data(found), allow_nan=False)
    assert found.verdicts[0].wrong


PIECES = st.sampled_from(
    [
        b'imagegen: phase=endpoint status=waiting seconds=1.0 reason=refused message="',
        b"imagegen: phase=done status=ok seconds=0.0",
        b"\n", b"\r\n", b"\x1b[0m", b"\x1b]", b'"', b"{", b"}", b"Linux version 6.1", b"__CURSOR=s\n", b"_BOOT_ID=a\n",
        b"MESSAGE\n", b"MESSAGE=", b'{"Output": "', b'{"phases": [', b"\xff\xfe", b"[ERROR Swap]",
        b"-----BEGIN PRIVATE KEY-----",
    ]
)  # fmt: skip


@given(
    st.one_of(st.binary(max_size=400), st.lists(st.one_of(PIECES, st.binary(max_size=8)), max_size=30).map(b"".join))
)
def test_any_bytes_are_a_verdict(content: bytes) -> None:
    for wrapped in (content, base64.b64encode(content), consoles.aws(content), consoles.aliyun(content)):
        found = diagnosed(node=wrapped)
        json.dumps(diagnosis_as_data(found), allow_nan=False).encode()
        assert len(found.verdicts) == 1


@pytest.mark.parametrize(
    "piece",
    [
        b"A" * 64,
        b"No space left on device; Out of memory: Killed process 1\n",
        b"ALERT! ",
        b"\x1b]",
        b"[ERROR ",
        b'{"a":\n',
        b"imagegen: phase=wipe",
        b"\n",
        b"=\n\n",
    ],
)
def test_a_large_file_takes_no_time(piece: bytes) -> None:
    content = b"__CURSOR=s\n" * (piece == b"=\n\n") + piece * ((1 << 19) // len(piece))
    start = time.process_time()
    diagnosed(node=content)
    assert time.process_time() - start < 10


def test_the_limit_is_that_of_one_file() -> None:
    assert read_log("log", b"x" * 10, KNOWN.tables).kind is Kind.CONSOLE
    assert MAX_BYTES == 16 << 20
