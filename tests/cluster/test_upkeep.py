"""What a control plane does for itself when it is up: on the cluster that the other tests have looked at."""

import json
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from imagegen.lab.nspawn import NspawnMachine
from imagegen.lab.process import run
from tests.cluster.conftest import Cluster
from tests.cluster.kubectl import is_ready, moment, until
from tools import toolbox

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(3600)]

RENEW = "imagegen-renew.service"
SNAPSHOT = "python3 /usr/local/lib/imagegen/firstboot/snapshot.py --now"
SERVED = {6443: "apiserver", 2379: "etcd/server", 2380: "etcd/peer"}
# Whether what is presented there is what lies on the disk.
SAME = """python3 - {port} {name} <<'END'
import ssl, sys
port, name = sys.argv[1:]
served = ssl.get_server_certificate(("10.77.0.11", int(port)))
sys.exit(served.split() != open(f"/etc/kubernetes/pki/{{name}}.crt").read().split())
END"""


@pytest.fixture
def cp1(cluster: Cluster) -> NspawnMachine:
    return cluster.prepared.machines[0]


def told(machine: NspawnMachine, work: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(machine.shell(f"cat /var/lib/imagegen/{work}.json").stdout)
    return said


def restarts(cluster: Cluster) -> dict[str, int]:
    """How often each container of the control plane has been started again."""
    pods = cluster.kubectl.items("pods", "--namespace=kube-system", "--selector=tier=control-plane")
    return {
        pod["metadata"]["labels"]["component"]: pod["status"]["containerStatuses"][0]["restartCount"] for pod in pods
    }


def renewed_at(cluster: Cluster, lease: str) -> float:
    found = json.loads(cluster.kubectl.run("get", "lease", lease, "--namespace=kube-system", "-o", "json"))
    return moment(found["spec"]["renewTime"])


@pytest.fixture(autouse=True)
def ready(cluster: Cluster) -> None:
    """As a cluster is that has been up for long: nobody renews while an API server is not ready."""

    def all_ready() -> bool:
        return all(
            map(is_ready, cluster.kubectl.items("pods", "--namespace=kube-system", "--selector=tier=control-plane"))
        )

    until("the control plane is ready", all_ready, limit=120)


def test_timers_run_on_every_machine_and_the_renewal_on_control_planes_alone(cluster: Cluster) -> None:
    for machine in cluster.prepared.machines:
        assert machine.shell("systemctl is-active imagegen-renew.timer").stdout.strip() == "active", machine.name
    worker = cluster.prepared.machines[1]
    worker.shell(f"systemctl start {RENEW}")
    assert worker.shell("ls /var/lib/imagegen/renewal.json", check=False).returncode


def test_certificates_with_time_left_are_left_alone(cluster: Cluster, cp1: NspawnMachine) -> None:
    before = restarts(cluster)
    cp1.shell(f"systemctl start {RENEW}")
    said = told(cp1, "renewal")
    assert said["status"] == "ok"
    assert len(said["certificates"]) == 11
    left = (datetime.fromisoformat(min(said["certificates"].values())).timestamp() - time.time()) / 86400
    assert 364 < left < 365
    assert restarts(cluster) == before


def test_certificates_are_renewed_and_used(cluster: Cluster, cp1: NspawnMachine, report: list[str]) -> None:
    before, counts = told(cp1, "renewal")["certificates"], restarts(cluster)
    drop_in = f"/run/systemd/system/{RENEW}.d"
    cp1.shell(
        f"mkdir -p {drop_in} && printf '[Service]\\nEnvironment=IMAGEGEN_RENEW_DAYS=400\\n' >{drop_in}/lab.conf"
        " && systemctl daemon-reload"
    )
    started = time.time()
    cp1.shell(f"systemctl start {RENEW}", timeout=400)
    report.append(f"{'cp1':10} certificates renewed, the API server ready again after {time.time() - started:.0f} s")
    ended = time.time()
    cp1.shell(f"rm -r {drop_in} && systemctl daemon-reload")
    said = told(cp1, "renewal")
    assert said["status"] == "ok", said
    after = said["certificates"]
    assert after.keys() == before.keys()
    assert [name for name in after if after[name] <= before[name]] == []
    assert "imagegen: upkeep=renewal status=ok" in cp1.console()
    for port, name in SERVED.items():
        cp1.shell(SAME.format(port=port, name=name))
    for name in ("kube-controller-manager", "kube-scheduler"):
        until(f"{name} has its lease again", lambda: renewed_at(cluster, name) > ended, limit=60)  # noqa: B023
    cp1.shell("kubectl --kubeconfig /etc/kubernetes/admin.conf auth can-i '*' '*'")

    def counted() -> bool:
        more = {name: count - counts[name] for name, count in restarts(cluster).items()}
        # Those two end by themselves, too, when they lose their leases.
        others = more.pop("kube-controller-manager"), more.pop("kube-scheduler")
        return more == {"etcd": 0, "kube-apiserver": 1} and min(others) > 0

    until("the API server was restarted once, etcd not at all, the others were", counted, limit=30)
    assert not cluster.kubectl.run("get", "leases", "--namespace=kube-system", "-o", "name").count("imagegen-renewal")


def test_snapshots_of_etcd_are_whole_and_the_newest(cluster: Cluster, cp1: NspawnMachine, tmp_path: Path) -> None:
    # The timer may have taken one already.
    cp1.shell("systemctl is-active imagegen-snapshot.timer && systemctl start imagegen-snapshot.service")
    first = told(cp1, "etcd-snapshot")
    cluster.kubectl.run("create", "configmap", "late", "--from-literal=word=unmistakable-snapshot")
    for _ in range(2):
        # Their names have seconds.
        time.sleep(1)
        cp1.shell(SNAPSHOT)
    folder = cp1.root / first["file"].lstrip("/")
    kept = sorted(folder.parent.iterdir())
    assert len(kept) == 2
    assert folder not in kept
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}
    content = kept[-1].read_bytes()
    assert b"unmistakable-snapshot" in content
    assert told(cp1, "etcd-snapshot")["bytes"] == len(content)
    etcdutl = (str(toolbox.path("etcdutl")), "snapshot")
    assert json.loads(run(*etcdutl, "status", str(kept[-1]), "--write-out=json").stdout)["totalKey"] > 100
    run(*etcdutl, "restore", str(kept[-1]), f"--data-dir={tmp_path / 'restored'}")
    worker = cluster.prepared.machines[1]
    assert worker.shell("systemctl is-active imagegen-snapshot.timer", check=False).stdout.strip() == "inactive"
