"""A public image becomes a node by itself: an unbaked disk, stock user-data, what it downloads, and a power cut."""

import hashlib
import json
import platform
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path

import pytest

from imagegen.lab import ground, lab
from imagegen.lab.nspawn import NspawnMachine
from imagegen.lab.process import LabError
from tests.cluster import site, timeline
from tests.cluster.kubectl import Kubectl, is_ready, until
from tests.cluster.serving import PORT, served
from tests.support import programs
from tools import toolbox
from tools.base import base
from tools.bundle import bundle

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

OPERATOR = IPv4Interface("10.77.0.1/24")
NODE = "cp1"
SERVER = f"http://{OPERATOR.ip}:{PORT}"
# In the middle of the install, with half of it on the disk.
CUT_AFTER = "step=50-install-runtime status=ok"
INSTALLED = re.compile(r"imagegen: phase=install step=(\S+) status=ok")
# The kernel is the host's: it has no modules of the image's, and the check of them is the vm test's.
MODULES = f"usr/lib/modules/{platform.release()}/modules.builtin"
NO_MODULES = "etc/systemd/system/systemd-modules-load.service.d/lab.conf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A machine that has become a node, and what was seen on the way."""

    machine: NspawnMachine
    kubectl: Kubectl
    identity: str
    bundle_sha256: str
    fingerprint: str


def prepare(machine: NspawnMachine, seed: Path, modules: list[str]) -> None:
    """The ground's table, the emitted seed, and a kernel that has in itself what the image would load."""
    ground.prepare(machine.root, seed)
    builtin = "".join(f"kernel/lab/{module}.ko\n" for module in modules)
    for path, content in ((MODULES, builtin), (NO_MODULES, "[Unit]\nConditionPathExists=/no-modules-here\n")):
        (machine.root / path).parent.mkdir(parents=True, exist_ok=True)
        (machine.root / path).write_text(content, encoding="utf-8")


def boot(machine: NspawnMachine, kubectl: Kubectl, report: list[str]) -> None:
    """Power on, power off in the middle, power on again, and wait for the node."""
    started = time.time()
    machine.start()
    until("the runtime", lambda: CUT_AFTER in machine.console(), limit=300)
    machine.power_cut()
    cut = time.time()
    machine.start()
    until("the node Ready", lambda: all(map(is_ready, nodes := kubectl.items("nodes"))) and nodes, limit=300)
    (node,) = kubectl.items("nodes")
    report.append(f"stock: power cut after {cut - started:.0f} s, in the middle of the install; after that:")
    report.append(str(timeline.measure(machine, node, started=cut)))
    report.extend(f"  {line}" for line in machine.console().splitlines() if "phase=install" in line)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, report: list[str]) -> Iterator[Installed]:
    programs.require()
    start, supplies = base(), bundle()
    sha256 = hashlib.sha256((supplies / "bundle.json").read_bytes()).hexdigest()
    image: dict[str, object] = {
        "name": "node",
        "os": "debian-12",
        "install": "stock",
        "stock": {"url": f"{SERVER}/stock"},
        "bundle": {"url": f"{SERVER}/bundle", "sha256": sha256},
    }
    made = site.make(tmp_path_factory.mktemp("site"), image)
    made.render()
    web = tmp_path_factory.mktemp("web") / "root"
    web.mkdir()
    (web / "bundle").symlink_to(supplies)
    (web / "stock").symlink_to(made.rendered / "images/node/stock")
    manifest = json.loads((made.rendered / "manifest.json").read_text(encoding="utf-8"))
    with (
        lab.opened(tmp_path_factory.mktemp("lab"), operator=OPERATOR) as opened,
        served(opened.network.name, str(OPERATOR.ip), web),
    ):
        machine = opened.nspawn(NODE, start.disk)
        prepare(machine, made.seed(NODE), declared_modules(made.rendered))
        kubectl = Kubectl(network=opened.network, binary=toolbox.path("kubectl"), kubeconfig=made.kubeconfig)
        try:
            boot(machine, kubectl, report)
        except (LabError, TimeoutError) as error:
            pytest.fail(f"{error}\n{diagnosis(machine)}")
        yield Installed(
            machine=machine,
            kubectl=kubectl,
            identity=machine.shell("cat /etc/machine-id").stdout,
            bundle_sha256=sha256,
            fingerprint=manifest["images"]["node"]["fingerprint"],
        )


def declared_modules(rendered: Path) -> list[str]:
    """Those that the packed files declare."""
    (payload,) = rendered.glob("images/node/stock/*.xz")
    unpacked = json.loads(subprocess.run(["xz", "-dc", payload], capture_output=True, check=True).stdout)
    modules: list[str] = json.loads(unpacked["declared.json"])["modules"]
    return modules


def diagnosis(machine: NspawnMachine) -> str:
    """What a machine has to say when it did not become a node."""
    asked = (
        "cat /var/lib/imagegen/status.json; systemctl --failed --no-pager --plain; systemctl list-jobs --no-pager;"
        " journalctl --no-pager -n 60 -u imagegen-install -u imagegen-bootstrap; cloud-init status --long"
    )
    try:
        heard = machine.shell(asked, check=False).stdout
    except LabError as error:
        heard = str(error)
    return f"--- console\n{machine.console()[-4000:]}\n--- inside\n{heard}"


def test_the_node_is_of_the_asked_version(installed: Installed) -> None:
    (node,) = installed.kubectl.items("nodes")
    assert node["metadata"]["name"] == NODE
    assert node["status"]["nodeInfo"]["kubeletVersion"] == "v1.37.2"


def test_its_stamp_says_who_installed_what(installed: Installed) -> None:
    stamp = json.loads(installed.machine.shell("cat /etc/imagegen/image.json").stdout)
    assert stamp["fingerprint"] == installed.fingerprint
    assert (stamp["builtBy"]["builder"], stamp["builtBy"]["bundle"]) == ("stock", installed.bundle_sha256)


def test_the_console_tells_of_every_step_before_first_boot(installed: Installed) -> None:
    console = installed.machine.console()
    assert console.count("step=check-machine status=ok") == 2
    before, _, last = console.rpartition("step=10-gather-files status=ok")
    steps = INSTALLED.findall(last)
    assert steps == sorted(steps)
    assert steps[0] == "20-prepare-system"
    assert steps[-2:] == ["85-require-verified", "86-take-inventory"]
    assert last.index("step=86-take-inventory") < last.index("phase=contract") < last.index("phase=done status=ok")
    assert "phase=contract" not in before
    # A red check is tried again: settings of the memory are the host's, and other machines on it change them.
    assert "install-failed" not in console
    assert "wipe-incomplete" not in console


def test_every_check_passed_on_the_machine_itself(installed: Installed) -> None:
    report = json.loads(installed.machine.shell("cat /var/log/imagegen/install-report.json").stdout)
    assert report["passed"]
    assert len(report["checks"]) > 100
    assert {check["kind"] for check in report["checks"]} >= {"package", "binary", "unit", "content", "image", "setting"}


def test_what_it_was_installed_with_is_gone(installed: Installed) -> None:
    shell = installed.machine.shell
    assert shell("ls -A /var/tmp /var/lib/imagegen-build 2>/dev/null", check=False).stdout.find("imagegen") == -1
    assert shell("ls /var/lib/imagegen").stdout.split() == [
        "done",
        "installed",
        "lock",
        "received",
        "state.json",
        "status.json",
    ]
    assert shell("grep -rl stock/payload /var/lib/cloud/instances/", check=False).stdout == ""


def test_cloud_init_has_nothing_to_complain_of(installed: Installed) -> None:
    told = json.loads(installed.machine.shell("cloud-init status --wait --format=json", check=False).stdout)
    assert (told["status"], told["errors"]) == ("done", [])
    assert installed.machine.shell("systemctl --failed --plain --no-legend").stdout == ""


def test_after_a_reboot_nothing_is_installed_again(installed: Installed) -> None:
    machine, before = installed.machine, installed.machine.console()
    machine.stop()
    machine.start()
    until("first boot's last word", lambda: "phase=wipe" in machine.console()[len(before) :], limit=120)
    until("the node Ready again", lambda: all(map(is_ready, installed.kubectl.items("nodes"))), limit=120)
    assert "phase=install" not in machine.console()[len(before) :]
    assert machine.shell("cat /etc/machine-id").stdout == installed.identity
    state = machine.shell("systemctl is-active imagegen-install.service", check=False).stdout.strip()
    assert state == "inactive"
