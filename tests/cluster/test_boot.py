"""`imagegen boot --ground nspawn`: the command itself brings the lab's cluster up, hands it over, and takes it down."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from imagegen.lab.process import run
from tests.cluster.bake import Baked
from tests.cluster.kubectl import until
from tests.cluster.site import Site
from tests.cluster.test_lab import traces
from tests.support.program import children, start
from tools import toolbox

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

_LIMIT = 300


@contextmanager
def booted(site: Site, disk: Path, out: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """The command on its way; it is interrupted at the end, if it is not over."""
    given = (f"--image={disk}", f"--out={out}", f"--secrets={site.spec.with_name('secrets.yaml')}")
    words: tuple[str | Path, ...] = ("boot", site.spec, "--ground=nspawn", *given, *options)
    log = out / "said.txt"
    with log.open("w") as said, start(*words, stdout=said, stderr=subprocess.STDOUT, stdin=None) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def said(out: Path) -> str:
    return (out / "said.txt").read_text(encoding="utf-8")


def of_lab(process: subprocess.Popen[str]) -> tuple[str, ...]:
    """What this host has of the labs of a process."""
    return traces(f"imagegen-lab-{process.pid}-")


@pytest.fixture
def out(baked: Baked, tmp_path: Path) -> Path:
    """A folder with what was rendered, and nothing else."""
    shutil.copytree(baked.site.rendered, tmp_path / "out" / baked.site.name)
    return tmp_path / "out"


def test_the_cluster_comes_up_and_goes(baked: Baked, out: Path, report: list[str]) -> None:
    kubeconfig = out / "lab.boot/kubeconfig"
    with booted(baked.site, baked.disk, out) as process:
        until("all nodes Ready", lambda: "get nodes" in said(out) or process.poll() is not None, limit=_LIMIT)
        assert f"kubectl --kubeconfig {kubeconfig} get nodes" in said(out)
        assert kubeconfig.stat().st_mode & 0o777 == 0o600
        names = "jsonpath={.items[*].metadata.name}"
        asked = (str(toolbox.path("kubectl")), "--kubeconfig", str(kubeconfig), "get", "nodes", "-o", names)
        assert run(*asked).stdout == "cp1 worker1 worker2"
        assert yaml.safe_load(kubeconfig.read_text())["clusters"][0]["cluster"]["tls-server-name"] == "10.77.0.11"
        parts = children(process)
        assert of_lab(process)
        # Three machines, and who passes connections on.
        assert [sum(word in args for args in parts.values()) for word in ("nspawn", "forwarding.py")] == [3, 1]
        before = time.monotonic()
    assert (process.returncode, of_lab(process)) == (0, ())
    assert [args for own, args in parts.items() if Path(f"/proc/{own}").exists()] == []
    assert sorted(path.name for path in out.iterdir()) == ["lab", "said.txt"]
    rows = re.findall(r"(?m)^(cp1|worker[12]) .*10\.77\.0\.\d+ +(\d+) s +(\d+) s +v1\.37\.2$", said(out))
    assert [name for name, _, _ in rows] == ["cp1", "worker1", "worker2"]
    report += [f"imagegen boot: {name} joined after {joined} s, Ready after {ready} s" for name, joined, ready in rows]
    report.append(f"imagegen boot: gone {time.monotonic() - before:.1f} s after Ctrl-C")


def test_every_phase_is_told_as_it_comes(baked: Baked, out: Path) -> None:
    with booted(baked.site, baked.disk, out, "--node=cp1") as process:
        until("Ready", lambda: "get nodes" in said(out) or process.poll() is not None, limit=_LIMIT)
    told = re.findall(r"(?m)^ *\d+ s  cp1: nspawn  (\S+)  (.*)$", said(out))
    assert told[0] == ("boot", "running")
    assert ("kubeadm-init", "running") in told
    assert told[-1] == ("done", "Ready")


def test_a_seed_with_another_token_is_refused(baked: Baked, out: Path) -> None:
    user_data = out / "lab/nocloud/worker1/user-data"
    user_data.write_text(re.sub(r"token: \w{6}\.\w{16}", "token: abcdef.0123456789abcdef", user_data.read_text()))
    with booted(baked.site, baked.disk, out) as process:
        process.wait(_LIMIT)
    assert process.returncode == 1
    assert "worker1/user-data: not what the spec and its secrets ask for: run `imagegen render` first" in said(out)
    assert not (out / "lab.boot").exists()


def test_the_time_limit_says_who_waits_for_what(baked: Baked, out: Path) -> None:
    """A worker alone: its wait is shown and explained, its console stays, and nothing else."""
    with booted(baked.site, baked.disk, out, "--node=worker1", "--timeout=40") as process:
        process.wait(_LIMIT)
    assert (process.returncode, of_lab(process)) == (1, ())
    assert "the machine at the endpoint 10.77.0.11 is not started: nobody will be Ready without it" in said(out)
    assert re.search(r"(?m)^ *\d+ s  worker1: nspawn  endpoint  waiting  unreachable: there is no way", said(out))
    assert "not all nodes are Ready after 40 s; `--timeout` gives them longer" in said(out)
    console = out / "lab.boot/worker1.console"
    assert list((out / "lab.boot").iterdir()) == [console]
    assert f"consoles: {console}\n{console}: waiting in endpoint: unreachable\n" in said(out)


def test_a_disk_of_another_image_is_refused(baked: Baked, out: Path) -> None:
    manifest = {
        "builds": [
            {"builder_type": "qemu", "files": [{"name": baked.disk.name}], "custom_data": {"fingerprint": "f" * 64}}
        ]
    }
    other = out.parent / baked.disk.name
    other.symlink_to(baked.disk)
    (out.parent / "manifest.json").write_text(json.dumps(manifest))
    with booted(baked.site, other, out) as process:
        process.wait(_LIMIT)
    assert process.returncode == 1
    assert f"baked with the fingerprint {'f' * 12}" in said(out)


def test_what_the_spec_lacks_is_said_before_anything_starts(baked: Baked, out: Path) -> None:
    document = yaml.safe_load(baked.site.spec.read_text())
    del document["kubeadm"]["ignorePreflightErrors"], document["network"]["kubeProxy"]
    poor = Site(spec=out.parent / "lab.yaml", name="lab", image=baked.site.image)
    poor.spec.write_text(yaml.safe_dump(document))
    shutil.copy(baked.site.spec.with_name("secrets.yaml"), out.parent)
    poor.call("render", "--out", str(out))
    with booted(poor, baked.disk, out) as process:
        process.wait(_LIMIT)
    assert process.returncode == 1
    asked = said(out).split("render that:\n")[1]
    assert yaml.safe_load(asked)["kubeadm"] == {"ignorePreflightErrors": ["SystemVerification"]}
    assert not (out / "lab.boot").exists()
