"""Programs run inside a Debian root: namespaces of their own, and nothing that they write outlasts them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.conftest import missing
from tools import roots, sites

HOST = "host"
_PROBE = Path(__file__).with_name("probe.py")
# The root stays as it was made: an overlay takes what is written, and goes with the mount namespace.
_ENTER = """\
root=$1 work=$2
shift 2
mount -t tmpfs tmpfs "$work"
mkdir "$work/upper" "$work/scratch" "$work/root"
mount -t overlay overlay -o "lowerdir=$root,upperdir=$work/upper,workdir=$work/scratch" "$work/root"
mount -t proc proc "$work/root/proc"
mount -t sysfs sysfs "$work/root/sys"
mount -t tmpfs tmpfs "$work/root/run"
test -c "$work/root/dev/null" || mount --rbind /dev "$work/root/dev"
while [ "$1" != -- ]; do
  mkdir -p "$work/root/$2"
  mount --bind "$1" "$work/root/$2"
  shift 2
done
shift
exec chroot "$work/root" "$@"
"""
_ISOLATED = ("unshare", "--mount", "--propagation=private", "--pid", "--fork", "--net", "--uts", "--ipc")
_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


def ready(suite: str) -> Path:
    """The root of a suite; the test is skipped where there can be none, and fails in CI."""
    if os.geteuid() != 0:
        missing("root's rights, which a chroot needs,")
    if shutil.which("unshare") is None:
        missing("unshare")
    if suite == HOST:
        return Path("/")
    if not roots.is_made(suite):
        missing(f"Debian's {suite} (make tools)")
    return roots.root(suite)


def packages(suite: str) -> Path:
    """The dependencies of imagegen for the Python of a suite."""
    ready(suite)
    if not sites.is_made(suite):
        missing(f"imagegen's dependencies for {suite} (make tools)")
    return sites.site(suite)


def run(suite: str, *command: str, folders: Mapping[str, Path], **environment: str) -> str:
    """What a command says in the root of a suite; `folders` of this machine stand in it under their names."""
    return inside(ready(suite), *command, folders=folders, **environment)


def inside(root: Path, *command: str, folders: Mapping[str, Path], **environment: str) -> str:
    """The same in any root folder, which may be mounted read-only."""
    bound = [word for target, source in folders.items() for word in (str(source), target)]
    with tempfile.TemporaryDirectory(prefix="imagegen-root-") as work:
        script = ["sh", "-euc", _ENTER, "sh", str(root), work, *bound, "--", *command]
        result = subprocess.run(
            [*_ISOLATED, *script], env=_ENVIRONMENT | environment, capture_output=True, text=True, check=False
        )
    assert result.returncode == 0, f"{command} in {root}:\n{result.stdout[-2000:]}{result.stderr[-4000:]}"
    return result.stdout


def ask(suite: str, question: str, request: Any) -> Any:
    """Put a question to the cloud-init of a suite, or of this machine (probe.py)."""
    with tempfile.TemporaryDirectory(prefix="imagegen-probe-") as folder:
        share = Path(folder)
        shutil.copy(_PROBE, share)
        (share / "request.json").write_text(json.dumps(request))
        if suite == HOST:
            subprocess.run([_host_python(), share / _PROBE.name, question], check=True, capture_output=True)
        else:
            run(suite, "python3", f"/mnt/{_PROBE.name}", question, folders={"/mnt": share})
        return json.loads((share / "answer.json").read_text())


def _host_python() -> str:
    """The Python of this machine's cloud-init, as its first line has it."""
    program = shutil.which("cloud-init")
    if program is None:
        missing("cloud-init")
        raise AssertionError
    return Path(program).read_text().partition("\n")[0].removeprefix("#!")
