"""How QEMU is called. KVM and HVF were never run from here: these are the command lines alone."""

from __future__ import annotations

import itertools
import os
import time
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

import pytest

from imagegen.lab import accelerators, wires
from imagegen.lab.process import LabError
from imagegen.lab.qemu import QemuMachine


@pytest.fixture(autouse=True)
def _qemu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A QEMU that runs a script."""
    program = tmp_path / "bin" / "qemu-system-x86_64"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\neval "$FAKE_QEMU"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")


def machine(accelerator: str) -> QemuMachine:
    here = Path("/disks")
    return QemuMachine(
        name="cp1",
        number=3,
        disk=here / "a,b.qcow2",
        seed=here / "nocloud/cp1",
        log=here / "cp1.console",
        sockets=here / "sockets",
        accelerator=accelerator,
        memory=2048,
    )


@pytest.mark.parametrize(("accelerator", "cpu"), [("kvm", "host"), ("hvf", "host"), ("tcg", "max")])
def test_a_machine(accelerator: str, cpu: str) -> None:
    words = machine(accelerator).command()
    options = {option: value for option, value in itertools.pairwise(words) if option.startswith("-")}
    assert (options["-accel"], options["-cpu"], options["-m"]) == (accelerator, cpu, "2048")
    assert options["-netdev"] == "stream,id=card,server=off,addr.type=unix,addr.path=nodes"
    assert options["-device"] == "virtio-net-pci,netdev=card,mac=52:54:00:69:6d:03"
    drives = [value for option, value in itertools.pairwise(words) if option == "-drive"]
    # A comma in a path would begin another option.
    assert "file=/disks/a,,b.qcow2" in drives[0]
    assert "file.driver=vvfat,file.dir=/disks/nocloud/cp1,file.label=cidata" in drives[1]
    assert "readonly=on" in drives[1]


def test_the_way_in_is_on_loopback_and_the_only_one() -> None:
    words = wires.way_command(
        operator=IPv4Interface("10.77.0.1/24"),
        spare=IPv4Address("10.77.0.254"),
        forward=(1234, "10.77.0.11", 6443),
    )
    network = "net=10.77.0.0/24,host=10.77.0.1,dns=10.77.0.254,restrict=on"
    assert f"user,id=inside,{network},hostfwd=tcp:127.0.0.1:1234-10.77.0.11:6443" in words
    assert "stream,id=cable,server=off,addr.type=unix,addr.path=way" in words


SAYS_A_KERNEL = "printf '[    0.000000] Linux version 6.1\\n'; exec sleep 60"


@pytest.mark.parametrize(
    ("script", "carries"),
    [
        pytest.param(SAYS_A_KERNEL, True, id="a kernel speaks"),
        pytest.param("echo 'failed to initialize kvm' >&2; exit 1", False, id="it does not start"),
        # What the KVM of some nested machines does, after the BIOS.
        pytest.param("echo SeaBIOS; echo 'KVM internal error. Suberror: 1' >&2; exec sleep 60", False, id="it stands"),
        pytest.param("echo SeaBIOS; exec sleep 60", False, id="silence"),
    ],
)
def test_an_accelerator_is_tried_with_a_kernel(script: str, carries: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_QEMU", script)
    started = time.monotonic()
    silent = "SeaBIOS; exec" in script
    assert accelerators.carries("kvm", Path("disk"), patience=2 if silent else 30) is carries
    # Nobody waits for what will not come.
    assert time.monotonic() - started < 20


@pytest.mark.parametrize(("system", "chosen"), [("linux", "kvm"), ("darwin", "hvf"), ("freebsd14", "tcg")])
def test_each_system_has_its_own(system: str, chosen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_QEMU", SAYS_A_KERNEL)
    monkeypatch.setattr("sys.platform", system)
    assert accelerators.choose(Path("disk"), patience=2) == chosen


def test_a_trial_does_not_write_to_the_disk() -> None:
    assert "-snapshot" in accelerators.trial("kvm", Path("disk"))


def test_other_processors_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    with pytest.raises(LabError, match="x86-64 only so far, and this is arm64"):
        accelerators.program()


@pytest.mark.parametrize(("said", "fine"), [("7.1.0", False), ("7.2.22", True), ("10.0.2", True)])
def test_an_older_qemu_is_refused(said: str, fine: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_QEMU", f"echo 'QEMU emulator version {said} (Debian)'")
    if fine:
        wires.check_version()
    else:
        with pytest.raises(LabError, match=r"QEMU 7\.2 or newer is needed"):
            wires.check_version()
