"""What nobody should give the program, and what it says then: never a traceback, nothing half written."""

from __future__ import annotations

import errno
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import yaml

from imagegen.secrets.importing import FILES
from tests.support.program import ENVIRONMENT, WITHOUT_PRIVILEGE, read_terminal, run_alone, run_forked, start
from tests.support.specs import run, spec

# Ctrl-C after so many seconds of work, wherever the program is then.
INTERRUPTED = """
import signal, sys
signal.signal(signal.SIGPROF, signal.default_int_handler)
signal.setitimer(signal.ITIMER_PROF, float(sys.argv.pop(1)))
from imagegen.__main__ import main
main()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("demo.yaml").write_text(yaml.safe_dump(spec()))
    run("secrets", "new", "demo.yaml")
    return tmp_path


def leftovers() -> list[str]:
    """What no command writes under that name."""
    return [path.as_posix() for path in Path().rglob(".*")]


def interrupted(seconds: float, *arguments: str) -> int:
    command = [sys.executable, "-c", INTERRUPTED, str(seconds), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, check=False)
    assert "Traceback" not in result.stderr
    # Once the interpreter has put its own handlers away, a signal just ends it.
    code = 130 if result.returncode == -signal.SIGPROF else result.returncode
    assert code in {0, 130}
    return code


def test_ctrl_c_at_any_point_of_a_render() -> None:
    codes = set()
    for tenth in range(1, 9):
        codes.add(code := interrupted(tenth * 0.06, "render", "demo.yaml", "--out", f"out{tenth}"))
        folder = Path(f"out{tenth}/demo")
        assert not folder.exists() or (folder / "manifest.json").exists()
        assert folder.exists() or code == 130
        assert leftovers() == []
    assert 130 in codes
    assert interrupted(30, "render", "demo.yaml") == 0


def test_ctrl_c_at_any_point_of_new_secrets() -> None:
    for tenth in range(1, 7):
        path = Path(f"secrets{tenth}.yaml")
        code = interrupted(tenth * 0.08, "secrets", "new", "demo.yaml", "--secrets", str(path))
        assert path.exists() or code == 130
        assert leftovers() == []
        if path.exists():
            assert run("secrets", "check", "demo.yaml", "--secrets", path).exit_code == 0


def test_ctrl_c_where_python_cannot_raise() -> None:
    program = """
import time
import imagegen.cli
from imagegen.__main__ import main

class Deaf:
    def __del__(self):
        raise KeyboardInterrupt

def work():
    Deaf()
    time.sleep(60)

imagegen.cli.main = work
main()
"""
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=ENVIRONMENT, check=False
    )
    assert (result.returncode, result.stderr) == (130, "")


@pytest.mark.parametrize(("raised", "code"), [("KeyboardInterrupt", 130), ("ValueError", 1)])
def test_ctrl_c_while_a_class_is_made(raised: str, code: int) -> None:
    program = f"""
import imagegen.cli
from imagegen.__main__ import main

class Field:
    def __set_name__(self, owner, name):
        raise {raised}

def work():
    class Settings:
        field = Field()

imagegen.cli.main = work
main()
"""
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=ENVIRONMENT, check=False
    )
    assert result.returncode == code
    assert ("Traceback" in result.stderr) == (code == 1)


def test_ctrl_c_while_a_pipe_is_read() -> None:
    os.mkfifo("fifo")
    with start("validate", "fifo") as process:
        writer = _opened_when_read("fifo")
        while process.poll() is None:
            # A signal just before the program begins to read is seen with the next one.
            process.send_signal(signal.SIGINT)
            time.sleep(0.2)
        os.close(writer)
        assert process.stderr is not None
        assert process.stderr.read() == ""
    # The second signal may have come when the program had all but ended.
    assert process.returncode in {130, -signal.SIGINT}


def _opened_when_read(name: str) -> int:
    deadline = time.monotonic() + 30
    while True:
        try:
            return os.open(name, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            # Nobody reads yet.
            if error.errno != errno.ENXIO or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def answered(*keys: str) -> tuple[int, str]:
    """`imagegen init` on a terminal, with a key or a line for each question."""
    ours, theirs = pty.openpty()
    process = start("init", "new.yaml", stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    said = b""
    for key in keys:
        while not said.endswith(b"]: "):
            said += os.read(ours, 1024)
        if key == "\x03":
            # The terminal is nobody's controlling one: the signal that it would send.
            process.send_signal(signal.SIGINT)
            break
        os.write(ours, key.encode())
        said += b"\n"
    code = process.wait(timeout=30)
    said += read_terminal(ours)
    os.close(ours)
    return code, said.decode()


def test_questions_on_a_terminal() -> None:
    code, _ = answered("mine\n", "\n", "\n")
    assert code == 0
    assert yaml.safe_load(Path("new.yaml").read_text())["metadata"]["name"] == "mine"


@pytest.mark.parametrize(("key", "code"), [("\x03", 130), ("\x04", 1)], ids=["ctrl-c", "ctrl-d"])
def test_questions_that_are_not_answered(key: str, code: int) -> None:
    ended, said = answered("mine\n", key)
    assert ended == code
    assert "Traceback" not in said
    assert not Path("new.yaml").exists()
    assert leftovers() == []


def test_a_file_that_is_there_is_not_asked_about() -> None:
    code, said = answered_when_there()
    assert code == 1
    assert "Name of the cluster" not in said


def answered_when_there() -> tuple[int, str]:
    Path("new.yaml").write_text("mine")
    return answered()


def test_without_a_terminal_nothing_is_asked() -> None:
    ours, theirs = pty.openpty()
    # Its questions would go into a file that nobody looks at.
    outcome = run_alone("init", "new.yaml", stdin=theirs)
    os.close(ours)
    os.close(theirs)
    assert outcome.code == 0
    assert outcome.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("validate folder", 1, "there is no spec below it"),
        ("inspect folder", 3, "folder: Is a directory"),
        ("render demo.yaml --secrets folder", 1, "neither a file nor a pipe"),
        ("render demo.yaml --secrets /dev/null", 1, "neither a file nor a pipe"),
        ("render demo.yaml --out file", 3, "file"),
        ("kubeconfig demo.yaml --out folder", 3, "folder: Is a directory"),
        ("init folder", 1, "is there already"),
        ("init dangling", 1, "is there already"),
        ("secrets new demo.yaml --secrets folder", 1, "there is a bundle already"),
        ("secrets import demo.yaml --pki file", 2, "file"),
        ("diff folder folder", 1, "not a folder that imagegen made"),
        ("explain folder", 3, "folder: Is a directory"),
        ("validate extends-folder.yaml", 1, "error[IG005]"),
        ("validate /dev/null", 1, "error[IG001]"),
        ("validate /dev/zero", 1, "error[IG003]"),
        ("inspect /dev/zero", 1, "more than 33,554,432 bytes"),
        ("inspect /dev/null", 1, "no user-data"),
        ("validate nul.yaml", 1, "U+0000"),
        ("validate latin1.yaml", 1, "byte 20 is not UTF-8"),
        ("validate loop.yaml", 2, "loop.yaml"),
        ("secrets import demo.yaml --pki binary --secrets new.yaml", 1, "not PEM"),
        ("render demo.yaml --out odd", 1, "not a folder that imagegen made"),
        ("diff odd/demo odd/demo", 1, "not a folder that imagegen made"),
        ("schema > /dev/full", 3, "standard output: No space left on device"),
    ],
)
def test_odd_files(arguments: str, code: int, said: str) -> None:
    Path("folder").mkdir()
    Path("file").write_text("text\n")
    Path("dangling").symlink_to("nowhere")
    for name in FILES:
        path = Path("binary", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes([0xFF, 0xFE]))
    Path("odd/demo").mkdir(parents=True)
    Path("odd/demo/manifest.json").write_text('{"files": {"user-data/worker-workers.yaml": null}}')
    Path("loop.yaml").symlink_to("loop.yaml")
    Path("nul.yaml").write_bytes(bytes(100))
    Path("latin1.yaml").write_bytes("kind: Cluster\nx: größe\n".encode("latin-1"))
    Path("extends-folder.yaml").write_text(yaml.safe_dump(spec(extends=["folder"])))
    words, _, target = arguments.partition(" > ")
    outcome = run_forked(*words.split(), stdout=Path(target) if target else None)
    assert outcome.code == code, outcome
    assert said in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert leftovers() == []
    assert list(Path("folder").iterdir()) == []


def test_a_spec_and_its_secrets_may_come_through_pipes() -> None:
    for name, source in (("spec", "demo.yaml"), ("secrets", "demo.secrets.yaml")):
        os.mkfifo(name, 0o600)
        threading.Thread(target=Path(name).write_bytes, args=(Path(source).read_bytes(),), daemon=True).start()
    outcome = run_alone("render", "spec", "--secrets", "secrets")
    assert outcome.code == 0, outcome.stderr
    assert Path("out/demo/manifest.json").exists()


@pytest.mark.parametrize(
    ("arguments", "locked"),
    [
        ("validate demo.yaml", "demo.yaml"),
        ("render demo.yaml", "demo.secrets.yaml"),
        ("render demo.yaml --out locked/out", "locked"),
        ("secrets new demo.yaml --secrets locked/secrets.yaml", "locked"),
        ("kubeconfig demo.yaml --out locked/kubeconfig", "locked"),
        ("init locked/new.yaml", "locked"),
        ("inspect demo.yaml", "demo.yaml"),
    ],
)
def test_permission_denied(arguments: str, locked: str) -> None:
    Path("locked").mkdir()
    mode = Path(locked).stat().st_mode
    Path(locked).chmod(0o555 if Path(locked).is_dir() else 0)
    outcome = run_alone(*arguments.split(), wrapper=WITHOUT_PRIVILEGE)
    Path(locked).chmod(mode)
    name = arguments.rsplit(maxsplit=1)[-1] if locked == "locked" else locked
    assert (outcome.code, outcome.stdout) == (3, "")
    assert outcome.stderr == f"imagegen: {name}: Permission denied\n"
    assert leftovers() == []
