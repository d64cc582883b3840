"""`imagegen boot` under emulation: a machine with its own kernel goes as far as it can alone, and leaves no trace."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.program import children, start
from tests.vm.conftest import Site

pytestmark = [pytest.mark.vm, pytest.mark.timeout(900)]

_LIMIT = 600
PARTS = ("lab/switch.py", "-machine none", "worker1.qcow2")
"""The switch, the way in, the machine."""


def test_a_worker_boots_up_to_its_wait_and_ctrl_c_ends_it(site: Site, tmp_path: Path) -> None:
    out, log = site.image.cluster_folder.parent, tmp_path / "said.txt"
    given = (f"--image={site.image.disk}", f"--out={out}", f"--secrets={site.work / 'secrets.yaml'}")
    words = ("boot", site.work / "cluster.yaml", "--node=worker1", "--accelerator=tcg", *given)
    started = time.monotonic()
    with log.open("w") as said, start(*words, stdout=said, stderr=subprocess.STDOUT, stdin=None) as process:
        try:
            while "endpoint  waiting" not in log.read_text() and process.poll() is None:
                assert time.monotonic() - started < _LIMIT, log.read_text()
                time.sleep(1)
            seconds = time.monotonic() - started
            parts = children(process)
            assert [sum(word in args for args in parts.values()) for word in PARTS] == [1, 1, 1], parts
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)
    text = log.read_text()
    assert re.search(r"(?m)^ *\d+ s  worker1: qemu  boot  running$", text), text
    assert re.search(r"(?m)^ *\d+ s  worker1: qemu  endpoint  waiting  (unreachable|timeout): ", text), text
    assert process.returncode == 130
    assert [args for own, args in parts.items() if Path(f"/proc/{own}").exists()] == []
    folder = out / "vm.boot"
    # Nor has it left its sockets there.
    assert [path.name for path in folder.iterdir()] == ["worker1.console"]
    assert f"consoles: {folder / 'worker1.console'}" in text
    print(f"imagegen boot, emulated: the worker waits for the endpoint after {seconds:.0f} s", flush=True)  # noqa: T201
