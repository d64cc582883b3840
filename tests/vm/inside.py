"""Runs inside a booted machine, by its own Python: everything that the tests look at, as JSON."""

import json
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

_WARNING = re.compile(r"\b(WARNING|ERROR|CRITICAL)\b|Traceback")
_ACTIVE = ("chrony.service", "containerd.service", "imagegen-bootstrap.service", "kubelet.service")
_MASKED = ("apt-daily.timer", "apt-daily-upgrade.timer", "unattended-upgrades.service")
_PROBE = "/bin/hostname"


def said(*command: str) -> str:
    """What a command says, whether it succeeds or not."""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def seen(*, runs_an_image: bool) -> dict[str, Any]:
    """All of it."""
    return {
        "machineID": Path("/etc/machine-id").read_text().strip(),
        "bootID": Path("/proc/sys/kernel/random/boot_id").read_text().strip(),
        "hostname": platform.node(),
        "hostKeys": {path.name: path.read_text().split()[1] for path in Path("/etc/ssh").glob("ssh_host_*.pub")},
        "kernel": platform.release(),
        "modules": [line.split()[0] for line in Path("/proc/modules").read_text().splitlines()],
        "swaps": Path("/proc/swaps").read_text().splitlines()[1:],
        "users": [line.split(":")[0] for line in Path("/etc/passwd").read_text().splitlines()],
        "cloudInit": cloud_init(),
        "active": {unit: said("systemctl", "is-active", unit) for unit in _ACTIVE},
        "masked": {unit: said("systemctl", "is-enabled", unit) for unit in _MASKED},
        "failed": said("systemctl", "list-units", "--failed", "--plain", "--no-legend"),
        "kubelet": said("systemctl", "show", "kubelet", "--property=ActiveState,ConditionResult,NRestarts").split(),
        "kubeletEnabled": said("systemctl", "is-enabled", "kubelet"),
        "timeSources": said("chronyc", "-n", "sources"),
        "containerd": containerd(runs_an_image=runs_an_image),
        "status": json.loads(Path("/var/lib/imagegen/status.json").read_text()),
        "userDataCopies": [str(path) for path in Path("/var/lib/cloud/instances").glob("*/user-data.txt*")],
    }


def cloud_init() -> dict[str, Any]:
    """How cloud-init got on, in this boot and by the marks that it leaves."""
    instance = Path("/var/lib/cloud/instance")
    status = json.loads(Path("/run/cloud-init/status.json").read_text())["v1"]
    stages = {name: stage for name, stage in status.items() if isinstance(stage, dict)}
    log = Path("/var/log/cloud-init.log").read_text(errors="replace")
    return {
        "version": said("cloud-init", "--version").split()[-1],
        "status": said("cloud-init", "status", "--long"),
        "result": json.loads(Path("/run/cloud-init/result.json").read_text())["v1"],
        "errors": [error for stage in stages.values() for error in stage.get("errors", ())],
        "recoverable": {
            name: stage["recoverable_errors"] for name, stage in stages.items() if stage.get("recoverable_errors")
        },
        "warnings": [line for line in log.splitlines() if _WARNING.search(line)],
        "instance": instance.resolve().name,
        # What is done once for an instance leaves a mark with the time at which it was done.
        "once": {path.name: path.stat().st_mtime_ns for path in (instance / "sem").iterdir()},
        "boots": len(re.findall(r"Cloud-init v\. \S+ running 'init-local'", log)),
    }


def containerd(*, runs_an_image: bool) -> dict[str, Any]:
    """What containerd makes of its configuration, has, and runs."""
    dumped = said("containerd", "config", "dump")
    run = ("ctr", "--namespace=k8s.io", "run", "--rm", "imagegen.test/web:1", "probe", _PROBE)
    return {
        "version": said("containerd", "--version"),
        "systemdCgroup": re.findall(r"SystemdCgroup = (\w+)", dumped),
        "images": said("ctr", "--namespace=k8s.io", "images", "list", "--quiet").split(),
        "ran": said(*run) if runs_an_image else "",
    }


if __name__ == "__main__":
    json.dump(seen(runs_an_image="--run" in sys.argv), sys.stdout)
