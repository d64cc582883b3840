"""Power fails before what was written is on the disk: afterwards files are there, and empty."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml

from imagegen.lab import lab
from imagegen.lab.process import LabError
from tests.cluster.bake import Baked
from tests.cluster.conftest import OPERATOR, diagnosis
from tests.cluster.kubectl import until
from tests.cluster.scene import Scene, heard
from tests.cluster.test_kills import scene_in
from tests.support import etcd_log

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

_MEMBER = "var/lib/etcd/member"
_RESET = "Deleting contents of directories"
_API = "https://10.77.0.11:6443/livez"
_OF_KUBEADM = ("pki/apiserver.crt", "pki/apiserver.key", "pki/etcd/server.crt", "admin.conf", "kubelet.conf")
_ANEW = "systemctl show imagegen-anew.service --property=ConditionResult --value"
_LIMIT = 180


def test_what_was_not_yet_on_the_disk_is_written_once_more(baked: Baked, tmp_path: Path, report: list[str]) -> None:
    with lab.opened(tmp_path, operator=OPERATOR) as opened:
        scene = scene_in(opened, baked, tmp_path)
        machine = scene.machine("cp1")
        try:
            machine.start()
            heard(machine, "phase=contract status=ok", limit=_LIMIT)
            machine.power_cut()
            _lose(machine.root, scene)
            (machine.root / "var/lib/imagegen/received").unlink()

            machine.start()
            heard(machine, "phase=contract status=ok", times=2, limit=_LIMIT)
            assert machine.shell(_ANEW).stdout == "yes\n"
            ask = ("curl", "--silent", "--insecure", "--max-time", "2", _API)
            until("an API server", lambda: opened.network.run(*ask), limit=_LIMIT, pause=0.1)
            machine.power_cut()
            # As if that had been within a tenth of a second of etcd's first start.
            etcd_log.blank(machine.root / _MEMBER)

            machine.start()
            until("a reset", lambda: _RESET in _log(machine.root), limit=_LIMIT, pause=0.1)
            until("an API server", lambda: opened.network.run(*ask), limit=_LIMIT, pause=0.1)
            machine.power_cut()
            assert (machine.root / _MEMBER / "snap/db").exists()
            _empty(machine.root, [*(f"etc/kubernetes/{name}" for name in _OF_KUBEADM), *_of_kubelet(machine.root)])

            machine.start()
            scene.api()
            heard(machine, "phase=done status=ok", limit=_LIMIT)
            assert machine.shell(_ANEW).stdout == "no\n"
        except (AssertionError, LabError, TimeoutError) as error:
            pytest.fail(f"{error}\n{diagnosis(machine)}")
    report.append("power cuts that left an etcd without a vote, files of user-data and of kubeadm empty: cp1 Ready")


def _log(root: Path) -> str:
    path = root / "var/log/imagegen/kubeadm-reset.log"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _lose(root: Path, scene: Scene) -> None:
    """Leave the files of the user-data empty, and zeros where it adds to a file."""
    user_data = yaml.safe_load((scene.site.seed("cp1") / "user-data").read_text(encoding="utf-8"))
    for file in user_data["write_files"]:
        path, added = root / file["path"].lstrip("/"), len(file["content"]) if file.get("append") else 0
        before = path.read_bytes()
        path.write_bytes(before[: len(before) - added] + bytes(added) if added else b"")
    assert b"\0" in (root / "etc/hosts").read_bytes()


def _of_kubelet(root: Path) -> list[str]:
    """The certificates that it has made for itself by then."""
    return [str(path.relative_to(root)) for path in (root / "var/lib/kubelet/pki").glob("kubelet.*")]


def _empty(root: Path, names: Iterable[str]) -> None:
    for name in names:
        assert (root / name).is_file(), name
        (root / name).write_bytes(b"")
