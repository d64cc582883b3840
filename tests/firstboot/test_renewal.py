"""A control plane renews its certificates when it is time, and uses them."""

from __future__ import annotations

import base64
import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from bootstrap import probe
from upkeep import certificates, pods
from upkeep.reasons import NEXT_STEPS
from upkeep.renewal import run

from tests.firstboot.authority import Authority
from tests.firstboot.documents import INIT
from tests.firstboot.machine import Machine

ROOT = Path(__file__).parents[2]
DAYS = 90.0
DAY = dt.timedelta(days=1)
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
YEAR = NOW + 364 * DAY
PODS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
RENEW = "kubeadm certs renew all"

# A container has the pod's name and a number; one that is ended is followed by the next.
CTR = """
state="$root/answers/containers"
case "$3 $4" in
"containers list") name=$(echo "$6" | sed 's/.*container.name"==//; s/,.*//'); cat "$state/$name" 2>/dev/null ;;
"tasks list")
    echo "TASK    PID    STATUS"
    for file in "$state"/*; do tail -n 1 "$file" | sed 's/$/    1    RUNNING/'; done ;;
"tasks kill")
    [ ! -e "$root/answers/stuck" ] || exit 0
    name=${7%-*}; echo "$name-$(( ${7##*-} + 1 ))" >> "$state/$name" ;;
esac
"""
KUBEADM = """
[ "$*" = "certs renew all" ] || exit 1
cp -r "$root/answers/renewed/." "$root/etc/kubernetes/"
"""
KUBECTL = """
case "$*" in
*" create "*) cat > "$root/answers/asked"; [ ! -e "$root/answers/lease" ] || { echo "AlreadyExists" >&2; exit 1; } ;;
*" get lease "*) cat "$root/answers/lease" ;;
*" get pods "*) cat "$root/answers/pods" ;;
esac
"""


def kubeconfig(certificate: str) -> str:
    data = base64.b64encode(certificate.encode()).decode()
    return yaml.safe_dump({"users": [{"name": "admin", "user": {"client-certificate-data": data}}]})


def kubernetes(folder: Path, authority: Authority, until: dt.datetime) -> None:
    """What kubeadm leaves on a control plane, as far as it ends."""
    (folder / "pki/etcd").mkdir(parents=True, exist_ok=True)
    for name in certificates.LEAVES:
        (folder / f"pki/{name}.crt").write_text(authority.sign_until(until))
    for name in ("admin", "controller-manager", "scheduler"):
        (folder / f"{name}.conf").write_text(kubeconfig(authority.sign_until(until)))


def pod(node: str, ready: str = "True") -> dict[str, Any]:
    return {"spec": {"nodeName": node}, "status": {"conditions": [{"type": "Ready", "status": ready}]}}


class Plane:
    """A control plane whose certificates end when the test says."""

    def __init__(self, machine: Machine, authority: Authority) -> None:
        self.machine, self.authority = machine, authority
        self.folder = machine.paths.kubernetes
        machine.clock.start = NOW.timestamp()
        machine.stage(INIT, admin="ops")
        for name in certificates.AUTHORITIES:
            machine.write(f"/etc/kubernetes/pki/{name}.crt", authority.sign_until(NOW + 3650 * DAY))
            machine.write(f"/etc/kubernetes/pki/{name}.key", "")
        kubernetes(machine.paths.at("/answers/renewed"), authority, YEAR)
        annotations = {pods.ENDPOINT: "192.168.0.11:6443"}
        manifest = yaml.safe_dump({"metadata": {"annotations": annotations}})
        for name in PODS:
            machine.write(f"/etc/kubernetes/manifests/{name}.yaml", manifest)
            machine.write(f"/answers/containers/{name}", f"{name}-1\n")
        for name, body in {"ctr": CTR, "kubeadm": KUBEADM, "kubectl": KUBECTL}.items():
            machine.script(name, body)
        self.others(pod("node-1"), pod("node-2"))

    def ends(self, days: float) -> None:
        kubernetes(self.folder, self.authority, NOW + days * DAY)
        self.machine.write("/home/ops/.kube/config", self.machine.read("/etc/kubernetes/admin.conf"))

    def others(self, *each: dict[str, Any]) -> None:
        self.machine.write("/answers/pods", json.dumps({"items": list(each)}))

    def lease(self, minutes: int, holder: str = "node-2") -> None:
        since = (NOW - dt.timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
        spec = {"holderIdentity": holder, "renewTime": since}
        self.machine.write("/answers/lease", json.dumps({"metadata": {"resourceVersion": "7"}, "spec": spec}))

    def look(self) -> int:
        return run(self.machine.paths, self.machine.clock, DAYS)

    @property
    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = json.loads(self.machine.read("/var/lib/imagegen/renewal.json"))
        return status

    @property
    def restarted(self) -> list[str]:
        """The pods whose container was ended, in order."""
        return [call.split()[-1].rpartition("-")[0] for call in self.machine.calls_of("ctr") if "SIGTERM" in call]


@pytest.fixture
def plane(machine: Machine, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Plane:
    monkeypatch.setattr(probe, "is_ready", lambda *_: True)
    return Plane(machine, authority)


def test_leaves_alone_what_has_time(plane: Plane) -> None:
    plane.ends(91)
    assert plane.look() == 0
    assert not plane.machine.calls
    assert plane.machine.lines == []
    assert plane.status["status"] == "ok"
    assert set(plane.status["certificates"]) == {
        *certificates.LEAVES,
        "admin.conf",
        "controller-manager.conf",
        "scheduler.conf",
    }
    assert set(plane.status["certificates"].values()) == {(NOW + 91 * DAY).strftime("%Y-%m-%dT%H:%M:%SZ")}


def test_renews_and_restarts_what_reads_them_once(plane: Plane) -> None:
    plane.ends(89)
    assert plane.look() == 0
    assert plane.machine.calls_of(RENEW) == [RENEW]
    assert plane.restarted == list(PODS)
    assert plane.status["certificates"]["apiserver"] == YEAR.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert [line for line in plane.machine.lines if "upkeep=renewal status=ok" in line]
    assert not plane.machine.has("/var/lib/imagegen/renewal-pending")
    before = len(plane.machine.calls)
    assert plane.look() == 0
    assert len(plane.machine.calls) == before


@pytest.mark.parametrize("name", ["apiserver", "etcd/peer", "front-proxy-client"])
def test_the_first_that_ends_counts(plane: Plane, name: str) -> None:
    plane.ends(200)
    (plane.folder / f"pki/{name}.crt").write_text(plane.authority.sign_until(NOW + 10 * DAY))
    assert plane.look() == 0
    assert plane.machine.calls_of(RENEW)


def test_a_kubeconfig_counts_too(plane: Plane) -> None:
    plane.ends(200)
    (plane.folder / "scheduler.conf").write_text(kubeconfig(plane.authority.sign_until(NOW + 10 * DAY)))
    assert plane.look() == 0
    assert plane.machine.calls_of(RENEW)


def test_years_of_four_digits(plane: Plane) -> None:
    plane.ends(100)
    (plane.folder / "pki/apiserver.crt").write_text(plane.authority.sign_until(dt.datetime(2061, 1, 2, tzinfo=dt.UTC)))
    assert plane.look() == 0
    assert plane.status["certificates"]["apiserver"] == "2061-01-02T00:00:00Z"


def test_who_is_told_not_to_does_not(plane: Plane) -> None:
    plane.ends(1)
    plane.machine.stage(INIT, certificateRenewal="none")
    assert plane.look() == 0
    assert not plane.machine.calls
    assert not plane.machine.has("/var/lib/imagegen/renewal.json")


def test_kube_vip_is_restarted_where_it_runs(plane: Plane) -> None:
    plane.ends(10)
    plane.machine.write("/etc/kubernetes/manifests/kube-vip.yaml", "{}")
    plane.machine.write("/answers/containers/kube-vip", "kube-vip-1\n")
    assert plane.look() == 0
    assert plane.restarted == [*PODS, "kube-vip"]


def test_one_that_has_restarted_by_itself_is_left_alone(plane: Plane, monkeypatch: pytest.MonkeyPatch) -> None:
    plane.ends(10)

    def ready(*_: object) -> bool:
        plane.machine.write("/answers/containers/kube-scheduler", "kube-scheduler-1\nkube-scheduler-2\n")
        return True

    monkeypatch.setattr(probe, "is_ready", ready)
    assert plane.look() == 0
    assert plane.restarted == list(PODS[:2])


def test_the_admin_user_s_copy_follows(plane: Plane) -> None:
    plane.ends(10)
    assert plane.look() == 0
    assert plane.machine.read("/home/ops/.kube/config") == plane.machine.read("/etc/kubernetes/admin.conf")
    assert plane.machine.paths.at("/home/ops/.kube/config").stat().st_mode & 0o777 == 0o600
    assert "ops has the new" in plane.status["message"]


def test_what_the_user_has_instead_stays(plane: Plane) -> None:
    plane.ends(10)
    plane.machine.write("/home/ops/.kube/config", "another cluster's")
    assert plane.look() == 0
    assert plane.machine.read("/home/ops/.kube/config") == "another cluster's"
    assert "ops keeps another" in plane.status["message"]


def test_a_run_that_was_cut_off_is_finished(plane: Plane) -> None:
    plane.ends(10)
    plane.machine.script("ctr", "exit 1")
    assert plane.look() == 1
    assert plane.status["reason"] == "pod-not-restarted"
    # What has been renewed has time again, and is not used yet.
    plane.machine.script("ctr", CTR)
    assert plane.look() == 0
    assert plane.restarted[-3:] == list(PODS)
    assert "ops has the new" in plane.status["message"]


def test_a_container_that_does_not_end_is_killed(plane: Plane) -> None:
    plane.ends(10)
    plane.machine.write("/answers/stuck", "")
    assert plane.look() == 1
    assert [call for call in plane.machine.calls_of("ctr") if "SIGKILL" in call]
    assert plane.status["reason"] == "pod-not-restarted"


def test_an_api_server_that_does_not_come_back(plane: Plane, monkeypatch: pytest.MonkeyPatch) -> None:
    plane.ends(10)
    monkeypatch.setattr(probe, "is_ready", lambda *_: False)
    assert plane.look() == 1
    assert plane.status["reason"] == "api-server-not-ready"
    assert plane.restarted == ["kube-apiserver"]
    assert plane.machine.has("/var/lib/imagegen/renewal-pending")


@pytest.mark.parametrize("name", certificates.AUTHORITIES)
def test_says_when_the_key_is_elsewhere(plane: Plane, name: str) -> None:
    plane.ends(10)
    (plane.folder / f"pki/{name}.key").unlink()
    assert plane.look() == 1
    assert plane.status["reason"] == "ca-external"
    assert f"{name}.key" in plane.status["message"]
    assert not plane.machine.calls


def test_waits_while_the_ca_is_replaced(plane: Plane) -> None:
    plane.ends(10)
    path = plane.folder / "pki/ca.crt"
    path.write_text(path.read_text() + path.read_text())
    assert plane.look() == 0
    assert (plane.status["status"], plane.status["reason"]) == ("waiting", "ca-rotation")
    assert not plane.machine.calls


def test_tells_of_a_ca_that_ends(plane: Plane) -> None:
    plane.ends(100)
    plane.machine.write("/etc/kubernetes/pki/etcd/ca.crt", plane.authority.sign_until(NOW + 80 * DAY))
    assert plane.look() == 0
    assert plane.status["reason"] == "ca-ends"
    assert plane.status["nextStep"] == NEXT_STEPS["ca-ends"]


def test_one_machine_at_a_time(plane: Plane) -> None:
    plane.ends(80)
    plane.lease(15)
    assert plane.look() == 0
    assert (plane.status["reason"], "node-2" in plane.status["message"]) == ("not-our-turn", True)
    assert not plane.machine.calls_of(RENEW)


@pytest.mark.parametrize(("minutes", "holder"), [(60, "node-2"), (15, "node-1")])
def test_takes_over_from_one_that_is_gone(plane: Plane, minutes: int, holder: str) -> None:
    plane.ends(80)
    plane.lease(minutes, holder)
    assert plane.look() == 0
    assert plane.machine.calls_of(RENEW)
    assert [call for call in plane.machine.calls_of("kubectl") if " replace " in call]


def test_gives_the_turn_back(plane: Plane) -> None:
    plane.ends(80)
    plane.machine.script("kubeadm", "exit 1")
    assert plane.look() == 1
    assert plane.status["reason"] == "renewal-failed"
    assert " delete lease imagegen-renewal " in plane.machine.calls_of("kubectl")[-1]
    asked = json.loads(plane.machine.read("/answers/asked"))
    assert asked["spec"]["holderIdentity"] == "node-1"


def test_restarts_nothing_while_another_is_down(plane: Plane) -> None:
    plane.ends(80)
    plane.others(pod("node-1"), pod("node-2", "False"))
    assert plane.look() == 0
    assert (plane.status["reason"], "node-2" in plane.status["message"]) == ("others-not-ready", True)
    assert not plane.machine.calls_of(RENEW)


@pytest.mark.parametrize("days", [29, -2])
def test_in_the_end_nobody_is_waited_for(plane: Plane, days: int) -> None:
    plane.ends(days)
    plane.machine.script("kubectl", "echo 'You must be logged in to the server' >&2; exit 1")
    assert plane.look() == 0
    assert plane.machine.calls_of(RENEW)
    assert plane.restarted == list(PODS)


@pytest.mark.parametrize("days", [70, 80])
def test_one_that_is_not_renewed_is_named_and_restarts_nothing(plane: Plane, days: int) -> None:
    plane.ends(80)
    path = plane.machine.paths.at("/answers/renewed/pki/apiserver.crt")
    path.write_text(plane.authority.sign_until(NOW + days * DAY))
    assert plane.look() == 1
    assert plane.status["reason"] == "renewal-failed"
    assert plane.status["message"] == "kubeadm has left apiserver as it was"
    assert not plane.restarted


@pytest.mark.parametrize("text", ["", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "nothing"])
def test_names_a_file_that_is_no_certificate(plane: Plane, text: str) -> None:
    plane.ends(80)
    (plane.folder / "pki/apiserver.crt").write_text(text)
    assert plane.look() == 1
    assert plane.status["reason"] == "certificate-invalid"
    assert "apiserver.crt" in plane.status["message"]


def test_nothing_secret_is_left_or_told(plane: Plane) -> None:
    plane.ends(80)
    shutil.copytree(plane.folder, plane.machine.paths.at("/answers/before"))
    assert plane.look() == 0
    readable = [path for path in plane.machine.paths.home.iterdir() if path.stat().st_mode & 0o004 and path.is_file()]
    assert plane.machine.paths.at("/var/lib/imagegen/renewal.json") in readable
    assert not [path for path in readable if "client-certificate-data" in path.read_text()]
