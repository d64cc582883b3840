"""Secrets leave the disk, and cloud-init stays able to work."""

from __future__ import annotations

import gzip
import pickle
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.firstboot.documents import INIT, TOKEN, WORKER
from tests.firstboot.machine import PROGRAM, Machine

INSTANCE = "/var/lib/cloud/instances/i-1"
CONFIG = {
    "hostname": "node-1",
    "write_files": [
        {"path": "/var/lib/imagegen/kubeadm.yaml", "content": f"token: {TOKEN}\n"},
        {"path": "/etc/imagegen/node.json", "content": "{}"},
    ],
    "runcmd": ["echo"],
}
KEPT = {**CONFIG, "write_files": [{"path": "/etc/imagegen/node.json", "content": "{}"}]}
USER_DATA = "#cloud-config\n" + yaml.safe_dump(CONFIG)
SCRIPT = "#!/bin/sh\necho /var/lib/imagegen/pki\n"


class Source:
    """As much of cloud-init's data source as matters here."""

    def __init__(self, raw: object) -> None:
        self.userdata_raw = raw
        self.userdata: object = "processed"
        self.metadata = {"instance-id": "i-1"}
        self.crawled = {"user-data": raw, "list": [raw, 1]}


def keep(machine: Machine, raw: object, path: str = f"{INSTANCE}/obj.pkl") -> Path:
    file = machine.write(path, "")
    file.write_bytes(pickle.dumps(Source(raw)))
    file.chmod(0o400)
    return file


def load(file: Path) -> Any:
    return pickle.loads(file.read_bytes())  # noqa: S301  # made by this test


def test_nothing_of_the_secrets_is_left(machine: Machine) -> None:
    machine.stage(INIT)
    machine.write("/var/lib/imagegen/manifests/static.yaml", "kind: Pod\n")
    for name in ("user-data.txt", "user-data.txt.i", "vendor-data.txt", "vendor-data2.txt.i", "cloud-config.txt"):
        machine.write(f"{INSTANCE}/{name}", USER_DATA)
    keep(machine, USER_DATA.encode())
    assert machine.boot() == 0
    homes = (machine.root / "var", machine.root / "etc/imagegen")
    left = {path for home in homes for path in home.rglob("*") if path.is_file() and _is_secret(path)}
    assert left == set()
    names = sorted(path.name for path in machine.paths.home.iterdir())
    assert names == ["done", "lock", "received", "state.json", "status.json"]


def test_what_a_later_try_needs_is_kept_until_the_node_is_done(machine: Machine) -> None:
    machine.stage(INIT)
    machine.plan("kubeadm-init", *["exit 1"] * 99)
    copy = machine.write(f"{INSTANCE}/user-data.txt", USER_DATA)
    assert machine.boot(until=600) is None
    assert (machine.paths.staged_pki / "ca.key").exists()
    assert (machine.paths.home / "kubeadm-join.yaml").exists()
    assert not copy.exists()


def test_cloud_init_keeps_its_configuration(machine: Machine) -> None:
    machine.stage(WORKER)
    file = machine.write(f"{INSTANCE}/cloud-config.txt", USER_DATA)
    machine.boot(until=10)
    assert yaml.safe_load(file.read_text()) == KEPT
    assert file.read_text().startswith("#cloud-config\n")
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_configuration_without_secrets_is_left_as_it_is(machine: Machine) -> None:
    machine.stage(WORKER)
    text = "#cloud-config\n# by hand\nruncmd: [  echo ]\n"
    file = machine.write(f"{INSTANCE}/cloud-config.txt", text)
    machine.boot(until=10)
    assert file.read_text() == text


def test_scripts_stay_until_cloud_init_has_run_them(machine: Machine) -> None:
    machine.stage(WORKER)
    script = machine.write(f"{INSTANCE}/scripts/runcmd", SCRIPT)
    machine.boot(until=10)
    assert script.exists()
    machine.write(f"{INSTANCE}/sem/config_scripts_user", "")
    machine.boot(until=10)
    assert not script.exists()


@pytest.mark.parametrize(
    ("pack", "unpack"),
    [(str, str), (str.encode, bytes.decode), (lambda text: gzip.compress(text.encode()), gzip.decompress)],
    ids=["text", "bytes", "gzip"],
)
def test_cache_of_the_data_source(
    machine: Machine, pack: Callable[[str], object], unpack: Callable[[Any], str | bytes]
) -> None:
    machine.stage(WORKER)
    file = keep(machine, pack(USER_DATA))
    machine.boot(until=10)
    source = load(file)
    assert file.stat().st_mode & 0o777 == 0o400
    for raw in (source.userdata_raw, source.crawled["user-data"], source.crawled["list"][0]):
        assert yaml.safe_load(unpack(raw)) == KEPT
    assert source.metadata == {"instance-id": "i-1"}
    assert source.userdata is None
    assert "phase=wipe status=ok" in machine.story


@pytest.mark.parametrize("raw", [SCRIPT, SCRIPT.encode(), USER_DATA.replace("#cloud-config", "## template: jinja")])
def test_what_cannot_be_cleaned_is_named(machine: Machine, raw: object) -> None:
    machine.stage(WORKER)
    file = keep(machine, raw)
    before = file.read_bytes()
    machine.boot(until=10)
    assert file.read_bytes() == before
    assert "phase=wipe status=ok reason=wipe-incomplete" in machine.story
    assert f"{file}: ValueError" in machine.lines[0]


@pytest.mark.parametrize("raw", [None, "", b"", "#!/bin/sh\n", {"odd": 1}])
def test_user_data_without_secrets_is_left_as_it_is(machine: Machine, raw: object) -> None:
    machine.stage(WORKER)
    file = keep(machine, raw)
    before = file.read_bytes()
    machine.boot(until=10)
    assert file.read_bytes() == before
    assert "phase=wipe status=ok" in machine.story


@pytest.mark.usefixtures("running")
def test_a_broken_cache_does_not_stop_the_node(machine: Machine) -> None:
    machine.stage(WORKER)
    machine.write(f"{INSTANCE}/obj.pkl", "no pickle")
    assert machine.boot() == 0
    assert machine.story[0] == "phase=wipe status=ok reason=wipe-incomplete"


def test_the_operators_medium_is_left_alone(machine: Machine) -> None:
    machine.stage(INIT)
    seed = machine.write("/var/lib/cloud/seed/nocloud/user-data", USER_DATA)
    assert machine.boot() == 0
    assert seed.read_text() == USER_DATA


REAL = """
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, {program!r})
from pathlib import Path
from bootstrap.cloudcopies import wipe_instance
from cloudinit import distros, helpers, sources
from cloudinit.sources.DataSourceNoCloud import DataSourceNoCloud

folder = Path({folder!r})
paths = helpers.Paths({{"cloud_dir": str(folder / "cloud"), "run_dir": str(folder / "run")}})
source = DataSourceNoCloud({{}}, distros.fetch("debian")("debian", {{}}, paths), paths)
source.userdata_raw, source.metadata = {user_data!r}, {{"instance-id": "i-1"}}
source.get_userdata()
sources.pkl_store(source, str(folder / "obj.pkl"))
assert wipe_instance(folder) == []
again = sources.pkl_load(str(folder / "obj.pkl"))
assert again.get_instance_id() == "i-1"
print(again.get_userdata_raw().decode())
assert b"hostname: node-1" in bytes(again.get_userdata())
"""


@pytest.mark.tools
def test_cache_of_the_real_cloud_init(tool: Callable[[str], str], tmp_path: Path) -> None:
    python = Path(tool("cloud-init")).read_text().splitlines()[0].removeprefix("#!").split()[0]
    code = REAL.format(program=str(PROGRAM), folder=str(tmp_path), user_data=USER_DATA.encode())
    ended = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert yaml.safe_load(ended.stdout) == KEPT


def _is_secret(path: Path) -> bool:
    content = path.read_bytes()
    return TOKEN.encode() in content or b"PRIVATE KEY" in content
