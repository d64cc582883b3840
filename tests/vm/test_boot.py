"""`imagegen boot` under emulation: a machine with its own kernel goes as far as it can alone, and leaves no trace."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import time
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

import pytest

from imagegen.lab import accelerators, local
from imagegen.lab.process import LabError
from tests.support.program import children, start
from tests.vm import boots
from tests.vm.conftest import ALWAYS, Site

# One release is enough: what is looked at is this computer's side of it.
pytestmark = [pytest.mark.vm, pytest.mark.timeout(900), pytest.mark.parametrize("release", [ALWAYS], indirect=True)]

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


def test_the_way_in_leads_to_a_machine_and_its_power_button_works(site: Site, tmp_path: Path) -> None:
    seed, address = site.image.cluster_folder / "nocloud/worker2", IPv4Interface(f"{boots.ADDRESSES['worker2']}/24")
    around = local.Surroundings(
        folder=tmp_path,
        operator=IPv4Interface("192.168.76.1/24"),
        spare=IPv4Address("192.168.76.254"),
        host=str(address.ip),
        port=22,
    )
    hardware = local.Hardware(accelerator=accelerators.EMULATED, memory=1024)
    wanted = local.Wanted(name="worker2", disk=site.image.disk, seed=seed)
    with local.qemu([wanted], around, hardware) as raised:
        (machine,) = raised.machines
        machine.start()
        started = time.monotonic()
        while not (heard := greeting(raised.port)):
            assert time.monotonic() - started < _LIMIT, machine.console()[-3000:]
            time.sleep(2)
        assert heard.startswith(b"SSH-2.0-OpenSSH")
        machine.stop()
        assert not machine.is_running
        assert "reboot: Power down" in machine.console()
        with pytest.raises(LabError, match="worker2 is not running"):
            machine.power_cut()
    assert [path.name for path in tmp_path.iterdir()] == ["worker2.console"]


def greeting(port: int) -> bytes:
    """What an SSH server behind a port of loopback says first."""
    try:
        with socket.create_connection(("127.0.0.1", port), 10) as connection:
            return connection.recv(64)
    except OSError:
        return b""
