"""Machines do what is asked of them, and leave nothing behind."""

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from ipaddress import IPv4Interface
from pathlib import Path

import pytest

from imagegen.lab import ground, lab, leftovers
from imagegen.lab.cgroups import Hierarchies
from imagegen.lab.nspawn import NspawnMachine
from imagegen.lab.process import LabError, run
from tests.cluster.kubectl import until
from tools.base import base

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

OPERATOR = IPv4Interface("10.78.0.1/24")
ADDRESS = "10.78.0.11"
SEED = {
    "meta-data": "instance-id: one\nlocal-hostname: one\n",
    "user-data": "#cloud-config\nlocale: false\n",
    "network-config": f"""\
version: 2
ethernets:
  primary: {{match: {{name: "e*"}}, accept-ra: false, addresses: [{ADDRESS}/24]}}
""",
}


def prepared(opened: lab.Lab, seed: Path) -> NspawnMachine:
    """A machine from the base disk, with a seed of its own."""
    seed.mkdir()
    for name, content in SEED.items():
        (seed / name).write_text(content, encoding="utf-8")
    machine = opened.nspawn("one", base().disk)
    ground.prepare(machine.root, seed)
    return machine


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[lab.Lab]:
    with lab.opened(tmp_path_factory.mktemp("lab"), operator=OPERATOR) as opened:
        yield opened
    assert traces(opened.name) == ()


@pytest.fixture(scope="module")
def machine(opened: lab.Lab) -> NspawnMachine:
    machine = prepared(opened, opened.folder / "seed")
    machine.start()
    return machine


def traces(name: str) -> tuple[str, ...]:
    """What the host still has of a lab."""
    lists = "ip netns; losetup --all; cat /proc/self/mountinfo; ls -d /sys/fs/cgroup/* /sys/fs/cgroup/*/*; ps -eo args"
    heard = run("sh", "-c", lists)
    return tuple(line for line in heard.stdout.splitlines() if name in line)


def reachable(opened: lab.Lab) -> bool:
    """Whether the machine's SSH server greets the operator."""
    greeting = opened.network.run("curl", "-s", "-m", "2", f"telnet://{ADDRESS}:22", check=False).stdout
    return greeting.startswith("SSH-2.0")


def test_cloud_init_applies_the_seed(opened: lab.Lab, machine: NspawnMachine) -> None:
    machine.shell("cloud-init status --wait", timeout=180)
    assert machine.shell("hostname").stdout == "one\n"
    assert "cloud-init" in machine.console()
    until("a greeting", lambda: reachable(opened), limit=30)


def test_a_cut_network_keeps_its_carrier(opened: lab.Lab, machine: NspawnMachine) -> None:
    machine.cut_network()
    assert not reachable(opened)
    assert machine.shell("cat /sys/class/net/eth0/carrier").stdout == "1\n"
    machine.restore_network()
    until("a greeting after the cut", lambda: reachable(opened), limit=30)


def test_after_a_power_cut_it_boots_from_what_the_disk_has(opened: lab.Lab, machine: NspawnMachine) -> None:
    machine.shell("echo kept > /root/note; systemd-run sleep 1000")
    machine.power_cut()
    assert not reachable(opened)
    with pytest.raises(LabError, match="one is not running"):
        machine.shell("true")
    assert not any(f"{opened.name}-one" in line for line in traces(opened.name) if "roots" not in line)
    machine.start()
    until("a greeting after the boot", lambda: reachable(opened), limit=60)
    assert machine.shell("cat /root/note; pgrep --exact sleep", check=False).stdout == "kept\n"


def test_a_stop_is_an_orderly_one(machine: NspawnMachine) -> None:
    machine.stop()
    assert "Reached target" in machine.console().rsplit("Stopping", maxsplit=1)[-1]
    machine.start()
    assert machine.shell("hostname").stdout == "one\n"


def test_it_does_not_start_twice(machine: NspawnMachine) -> None:
    with pytest.raises(LabError, match="is running"):
        machine.start()


def test_what_a_killed_run_leaves_is_found_and_removed(tmp_path: Path) -> None:
    script = f"""
        import os, signal
        from pathlib import Path
        from imagegen.lab import lab
        from tests.cluster.test_lab import OPERATOR, prepared
        with lab.opened(Path({str(tmp_path)!r}), operator=OPERATOR) as opened:
            machine = prepared(opened, Path({str(tmp_path)!r}) / "seed")
            machine.start()
            machine.shell("true")
            os.kill(os.getpid(), signal.SIGKILL)
    """
    killed = run(sys.executable, "-c", textwrap.dedent(script), timeout=300, check=False)
    assert killed.returncode == -9, killed.stderr
    (folder,) = tmp_path.glob(f"{leftovers.PREFIX}*")
    assert traces(folder.name)
    leftovers.remove()
    assert traces(folder.name) == ()
    (folder / "one.raw").unlink()


def test_what_is_frozen_goes_as_well() -> None:
    hierarchies = Hierarchies.of_host()
    if hierarchies.unified:
        pytest.skip("the host has no version 1 freezer")
    group = hierarchies.group(leftovers.new_name())
    group.create()
    sleeper = subprocess.Popen(["sleep", "1000"])
    try:
        for entrance in group.entrances():
            Path(entrance).write_text(str(sleeper.pid), encoding="ascii")
        (state,) = (folder / "freezer.state" for folder in group.folders if (folder / "freezer.state").exists())
        state.write_text("FROZEN", encoding="ascii")
        group.delete(timeout=5)
        assert not any(folder.exists() for folder in group.folders)
    finally:
        sleeper.kill()
        sleeper.wait(5)
