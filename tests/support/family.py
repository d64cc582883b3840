"""Run inside a root: the bake's scripts twice, with vendors' repositories on loopback; prints what came of it as JSON.

What only a machine that has booted has is recorded, and not done: services, modules, sysctls, swap, SELinux, the boot
loader, containerd's images. Package managers, files and checks are the real ones.
"""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

WORK = Path("/var/tmp/imagegen")
STUBS = Path("/var/tmp/stubs")
CALLS = STUBS / "calls"
PORT = 8000
SNAPSHOT = ("etc", "opt", "usr/local/bin", "usr/local/sbin", "usr/local/lib/imagegen")
# Written anew each time, and says when.
TIMES = ("/etc/imagegen/image.json", "/etc/ld.so.cache")

SYSTEMCTL = """\
units=/etc/systemd/system
mkdir -p $units/enabled.stub
case $1 in
mask) shift; for unit; do case $unit in -*) ;; *) ln -sfn /dev/null "$units/$unit" ;; esac; done ;;
enable) shift; for unit; do case $unit in -*) ;; *) touch "$units/enabled.stub/$unit" ;; esac; done ;;
is-active) [ "$2" = --quiet ] || echo inactive; exit 3 ;;
list-unit-files)
  shift
  for unit; do
    if [ "$(readlink "$units/$unit")" = /dev/null ]; then echo "$unit masked enabled"
    elif [ -e "$units/enabled.stub/$unit" ]; then echo "$unit enabled enabled"; fi
  done ;;
esac
"""
BODIES = {
    "systemctl": SYSTEMCTL,
    "getenforce": "cat /etc/selinux/now\n",
    "setenforce": "echo Permissive >/etc/selinux/now\n",
}
BODIES["grubby"] = (
    'case $1 in --info=ALL) cat /etc/grubby ;; *) echo "args=\\"ro ${2#--args=}\\"" >/etc/grubby ;; esac\n'
)
BODIES["sysctl"] = BODIES["swapoff"] = BODIES["modprobe"] = ""


def main() -> None:
    """Do what is asked for in request.json."""
    request = json.loads((WORK / "request.json").read_text())
    prepare(request)
    serve()
    runs = run_all(request)
    left = [str(path) for path in map(Path, request["look"]) if path.exists()]
    said = {command: ask(*command.split()) for command in request["ask"]}
    calls = CALLS.read_text().splitlines() if CALLS.exists() else []
    report = {} if runs[-1]["code"] else verify()
    json.dump({"runs": runs, "report": report, "left": left, "said": said, "calls": calls}, sys.stdout)


def prepare(request: dict[str, Any]) -> None:
    """Put the stubs and the root's own files in place."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    STUBS.mkdir(exist_ok=True)
    for name, body in BODIES.items():
        (STUBS / name).write_text(f'#!/bin/sh\necho "{name} $*" >>{CALLS}\n{body}')
        (STUBS / name).chmod(0o755)
    for path, text in request["files"].items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text)


def serve() -> None:
    """Serve the repositories."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", PORT), functools.partial(Quiet, directory="/srv"))
    threading.Thread(target=server.serve_forever, daemon=True).start()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Says nothing of its requests."""

    def log_message(self, *_: Any) -> None:
        pass


def environment(more: dict[str, str]) -> dict[str, str]:
    """The scripts' environment, the stubs first."""
    return {"PATH": f"{STUBS}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", **more}


def run_all(request: dict[str, Any]) -> list[dict[str, Any]]:
    """Run the scripts as often as asked for, with what each run changed."""
    runs: list[dict[str, Any]] = []
    before: dict[str, str] = {}
    for _ in range(request["times"]):
        result = run(request["scripts"], request["environment"])
        after = snapshot()
        changed = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
        runs.append({**result, "changed": changed if runs else []})
        before = after
        if result["code"]:
            break
    return runs


def run(scripts: list[str], more: dict[str, str]) -> dict[str, Any]:
    """Run the scripts in their order, up to the first that fails."""
    said = ""
    for script in scripts:
        result = subprocess.run(
            ["bash", str(WORK / "scripts" / script)],
            env=environment({"PACKER_BUILDER_TYPE": "chroot", **more}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        said += f"== {script}\n{result.stdout}"
        if result.returncode:
            return {"code": result.returncode, "said": said, "at": script}
    return {"code": 0, "said": said, "at": ""}


def ask(*command: str) -> str:
    """What a command says."""
    return subprocess.run(command, capture_output=True, text=True, env=environment({}), check=False).stdout


def verify() -> Any:
    """The bake's own checks."""
    report = WORK / "report.json"
    command = ["python3", str(WORK / "verify"), "image", str(WORK / "declared.json"), str(report)]
    subprocess.run(command, check=True, env=environment({}))
    return json.loads(report.read_text())


def snapshot() -> dict[str, str]:
    """Each file of the folders that count, with its mode and content."""
    found = {}
    for top in SNAPSHOT:
        for folder, _, names in os.walk(Path("/", top)):
            for path in (Path(folder, name) for name in names):
                if str(path) not in TIMES:
                    content = path.readlink() if path.is_symlink() else hashlib.sha256(path.read_bytes()).hexdigest()
                    found[str(path)] = f"{path.lstat().st_mode:o} {content}"
    return found


main()
