"""The program beside a kubectl of the test's: what it asks, approves and says."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from approving.cluster import Cluster
from approving.program import Approver
from approving.settings import Settings, read_settings

from tests.approver.asking import ADDRESS, NODE, dns, node, request, thing

SETTINGS = Settings((ip_network("192.168.0.0/24"),), "192.168.0.11")
KUBECTL = """#!{python}
import json, pathlib, sys
here = pathlib.Path(__file__).parent
with (here / "asked").open("a") as file:
    file.write(" ".join(sys.argv[1:]) + "\\n")
if "replace" in sys.argv:
    (here / "approved").write_text(sys.stdin.read())
    sys.exit((here / "conflict").exists() and "Conflict: the object has been modified")
answer = here / sys.argv[4]
sys.stdout.write(answer.read_text()) if answer.exists() else sys.exit("connection refused")
"""


class Place:
    """A folder with a kubectl and what it answers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kubectl = folder / "kubectl"
        kubectl.write_text(KUBECTL.format(python=sys.executable))
        kubectl.chmod(kubectl.stat().st_mode | stat.S_IXUSR)
        (folder / "admin.conf").touch()
        self.cluster = Cluster(folder / "admin.conf", str(kubectl))
        self.approver = Approver(self.cluster, SETTINGS)

    def tell(self, *requests: dict[str, Any], nodes: tuple[dict[str, Any], ...] = (node(NODE, ADDRESS),)) -> None:
        (self.folder / "certificatesigningrequests").write_text(json.dumps({"items": requests}))
        (self.folder / "nodes").write_text(json.dumps({"items": nodes}))

    @property
    def approved(self) -> dict[str, Any]:
        path = self.folder / "approved"
        return json.loads(path.read_text()) if path.exists() else {}

    @property
    def asked(self) -> list[str]:
        return (self.folder / "asked").read_text().splitlines()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_node_s_own_request_is_approved_as_it_was_seen(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    asked = thing()
    place.tell(asked)
    place.approver.look()
    assert capsys.readouterr().err == "csr-abcde is approved\n"
    (condition,) = place.approved["status"]["conditions"]
    assert (condition["type"], condition["status"], condition["reason"]) == ("Approved", "True", "ImagegenApprover")
    # With its version: the API server refuses if it is no longer that.
    assert place.approved["metadata"] == {"name": "csr-abcde", "resourceVersion": "7"}
    assert place.approved["spec"] == asked["spec"]
    uri = "/apis/certificates.k8s.io/v1/certificatesigningrequests/csr-abcde/approval"
    assert place.asked[-1].endswith(f"replace --raw={uri} -f -")


def test_others_are_left_alone_and_told_of_once(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.tell(thing(request(sans=dns("worker2"))))
    for _ in range(3):
        place.approver.look()
    assert place.approved == {}
    said = "csr-abcde of system:node:worker1 is left to others: worker2 is not the node's name\n"
    assert capsys.readouterr().err == said
    # Gone and come back: another one of that name.
    place.tell()
    place.approver.look()
    place.tell(thing(request(sans=dns("worker2"))))
    place.approver.look()
    assert capsys.readouterr().err == said


def test_names_make_no_lines_of_their_own(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.tell(thing(request(sans=dns("a\ncsr-b is approved"))))
    place.approver.look()
    assert capsys.readouterr().err.count("\n") == 1


def test_a_node_whose_addresses_come_later_is_approved_then(place: Place) -> None:
    place.tell(thing(), nodes=(node(NODE),))
    place.approver.look()
    assert place.approved == {}
    place.tell(thing())
    place.approver.look()
    assert place.approved


def test_nodes_are_asked_for_only_where_something_waits(place: Place) -> None:
    place.tell({**thing(), "status": {"conditions": [{"type": "Approved"}]}})
    place.approver.look()
    (only,) = place.asked
    assert only.endswith(
        "get certificatesigningrequests --field-selector=spec.signerName=kubernetes.io/kubelet-serving --output=json"
    )


def test_an_api_server_that_is_away_is_told_of_once_and_asked_again(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        place.approver.look()
    assert capsys.readouterr().err == "the API server does not answer: connection refused\n"
    place.tell(thing())
    (place.folder / "conflict").touch()
    place.approver.look()
    assert capsys.readouterr().err == "csr-abcde was not approved: Conflict: the object has been modified\n"


def test_a_machine_that_has_not_joined_asks_nobody(place: Place) -> None:
    (place.folder / "admin.conf").unlink()
    place.approver.look()
    assert not (place.folder / "asked").exists()


def test_the_settings_are_those_of_user_data(tmp_path: Path) -> None:
    path = tmp_path / "approver.json"
    path.write_text('{"nodeCIDRs": ["192.168.0.0/24"], "endpoint": "192.168.0.11"}')
    assert read_settings(path) == SETTINGS


def test_it_starts_as_its_unit_starts_it(tmp_path: Path) -> None:
    """Up to the file that only a control plane has."""
    program = Path(__file__).parents[2] / "packer/files/usr/local/lib/imagegen/approver"
    command = [sys.executable, "-B", str(program)]
    ended = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "HOME": str(tmp_path)}
    )
    assert "FileNotFoundError" in ended.stderr
    assert "/etc/imagegen/approver.json" in ended.stderr
