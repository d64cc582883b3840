"""What the runbook's pages say, run as they say it: on the cluster, and on a worker that comes, goes and comes back."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from cryptography import x509

from imagegen.lab import ground
from imagegen.lab.nspawn import NspawnMachine
from imagegen.lab.process import LabError
from tests.cluster import pages
from tests.cluster.bake import Baked
from tests.cluster.conftest import NODES, Cluster, diagnosis
from tests.cluster.kubectl import until
from tests.cluster.pages import Runbook

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

NEW, ADDRESS = "worker9", "10.77.0.29"


@pytest.fixture(scope="module")
def book(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory, baked: Baked) -> Runbook:
    """The pages of the cluster's spec, in a folder of its own: other tests go on with theirs."""
    folder = tmp_path_factory.mktemp("runbook")
    site = replace(baked.site, spec=Path(shutil.copy(baked.site.spec, folder)))
    shutil.copy(baked.site.spec.with_name("secrets.yaml"), folder)
    return pages.runbook(site, cluster.prepared.lab.network, folder / "programs")


@pytest.fixture(scope="module")
def worker(cluster: Cluster, baked: Baked) -> Iterator[NspawnMachine]:
    """A further machine, not yet started; its seed is there once the page has it rendered."""
    machine = cluster.prepared.lab.nspawn(NEW, baked.disk)
    yield machine
    machine.close()
    # Other tests count nodes, pods and requests.
    kubectl = cluster.kubectl
    kubectl.run("delete", "node", NEW, "--ignore-not-found")
    kubectl.run("delete", "pods", "-A", f"--field-selector=spec.nodeName={NEW}", "--force", "--grace-period=0")
    requests = kubectl.items("certificatesigningrequests")
    for name in [one["metadata"]["name"] for one in requests if one["spec"]["username"] == f"system:node:{NEW}"]:
        kubectl.run("delete", "certificatesigningrequest", name)


@pytest.fixture
def cp1(cluster: Cluster) -> NspawnMachine:
    return cluster.prepared.machines[0]


def check(book: Runbook) -> str:
    """Every block of the page that needs no machine."""
    return book.on_the_computer("check", "nodes", "names", "pods", "etcd", "snapshot")


def test_a_cluster_that_is_well(cluster: Cluster, book: Runbook, report: list[str]) -> None:
    started = time.monotonic()
    book.on_the_computer("README", "kubeconfig")
    said = check(book)
    assert all(f"node/{name} condition met" in said for name in NODES)
    assert "https://10.77.0.11:2379 is healthy" in said
    assert "Snapshot saved" in said
    told = book.on_the_node(cluster.prepared.machines[1], "check", "first-boot")
    assert '"status": "done"' in told
    assert "imagegen: phase=done status=ok" in told
    report.append(f"runbook: the page that checks a cluster is run in {time.monotonic() - started:.0f} s")


def token_ids(book: Runbook) -> set[str]:
    """Those that the cluster takes, as the page lists them."""
    return {line.split()[0] for line in book.on_the_computer("tokens", "list").splitlines() if line.strip()}


def test_a_token_is_rotated(book: Runbook) -> None:
    before = token_of(book)
    assert before in token_ids(book)
    book.on_the_computer("tokens", "rotate", "retire", POOL="workers")
    now = token_ids(book)
    assert token_of(book) in now
    assert before not in now


def token_of(book: Runbook) -> str:
    """The id of the workers' token in the bundle."""
    bundle = yaml.safe_load(book.site.spec.with_name("secrets.yaml").read_text(encoding="utf-8"))
    token: str = bundle["tokens"]["workers"]
    return token.partition(".")[0]


def test_a_node_is_added(cluster: Cluster, book: Runbook, worker: NspawnMachine, report: list[str]) -> None:
    document = yaml.safe_load(book.site.spec.read_text(encoding="utf-8"))
    document["nodePools"][0]["nodes"].append({"name": NEW, "address": ADDRESS})
    book.site.spec.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    book.on_the_computer("add-a-node", "render")
    ground.prepare(worker.root, book.site.seed(NEW))
    started = time.monotonic()
    worker.start()
    wait_for(book, worker, "add-a-node")
    assert cluster.kubectl.run("get", "node", NEW, "-o", "jsonpath={.metadata.labels.disk}") == "ssd"
    report.append(f"runbook: {NEW} added in {time.monotonic() - started:.0f} s")


def wait_for(book: Runbook, machine: NspawnMachine, page: str) -> None:
    try:
        book.on_the_computer(page, "wait", NODE=machine.name)
    except LabError as error:
        pytest.fail(f"{error}\n{diagnosis(machine)}")


def test_a_worker_is_removed(cluster: Cluster, book: Runbook, worker: NspawnMachine) -> None:
    cluster.kubectl.run("run", "guest", "--image=imagegen.test/web:1", f"--overrides={json.dumps(pinned())}")
    until("a pod on it", lambda: guest_runs(cluster), limit=60)
    with pytest.raises(LabError, match="default/guest"):
        # It has no controller that would make it anew elsewhere.
        book.on_the_computer("remove-a-node", "drain", NODE=NEW)
    cluster.kubectl.run("delete", "pod", "guest", "--now")
    book.on_the_computer("remove-a-node", "drain", NODE=NEW)
    book.on_the_node(worker, "remove-a-node", "reset")
    book.on_the_computer("remove-a-node", "delete", NODE=NEW)
    assert {node["metadata"]["name"] for node in cluster.kubectl.items("nodes")} == set(NODES)
    assert worker.shell("systemctl is-active kubelet", check=False).stdout.strip() != "active"


def pinned() -> Mapping[str, object]:
    return {"spec": {"nodeName": NEW}}


def guest_runs(cluster: Cluster) -> bool:
    return cluster.kubectl.run("get", "pod", "guest", "-o", "jsonpath={.status.phase}") == "Running"


def test_it_joins_again_with_a_token_that_had_expired(
    cluster: Cluster, book: Runbook, worker: NspawnMachine, report: list[str]
) -> None:
    token = token_of(book)
    # What the cluster does when the time is over.
    cluster.kubectl.run("delete", "secret", "--namespace=kube-system", f"bootstrap-token-{token}")
    assert token not in token_ids(book)
    book.on_the_computer("tokens", "renew", POOL="workers")
    assert token in token_ids(book)
    book.on_the_node(worker, "remove-a-node", "forget")
    started = time.monotonic()
    worker.stop()
    worker.start()
    wait_for(book, worker, "remove-a-node")
    assert worker.console().count("imagegen: phase=done status=ok") == 2
    report.append(f"runbook: {NEW} removed, and joined again in {time.monotonic() - started:.0f} s")


def test_certificates_are_renewed(cluster: Cluster, book: Runbook, cp1: NspawnMachine, report: list[str]) -> None:
    before, running = certificates(cp1), components(cp1)
    assert running
    assert served_serial(cluster) == before["apiserver.crt"].serial_number
    started = time.monotonic()
    book.on_the_node(cp1, "certificates", "renew")
    now = certificates(cp1)
    assert now.keys() == before.keys() >= {"apiserver.crt", "etcd/server.crt", "front-proxy-client.crt"}
    assert [name for name in now if now[name].not_valid_after_utc <= before[name].not_valid_after_utc] == []
    book.on_the_node(cp1, "certificates", "restart")
    restarted = until("all components", lambda: components(cp1), limit=60)
    assert [name for name in running if restarted[name] == running[name]] == []
    assert served_serial(cluster) == now["apiserver.crt"].serial_number
    assert book.on_the_computer("certificates", "kubeconfig").endswith("ok")
    report.append(f"runbook: certificates renewed in {time.monotonic() - started:.0f} s")


def certificates(machine: NspawnMachine) -> Mapping[str, x509.Certificate]:
    """Those that kubeadm has made, by their paths; the CAs are the bundle's, and stay."""
    folder = machine.root / "etc/kubernetes/pki"
    return {
        path.relative_to(folder).as_posix(): x509.load_pem_x509_certificate(path.read_bytes())
        for path in sorted(folder.rglob("*.crt"))
        if not path.name.endswith("ca.crt")
    }


def components(machine: NspawnMachine) -> Mapping[str, str]:
    """The process of each component that has a certificate, by its name as the kernel cuts it; none unless all run."""
    said = machine.shell("pgrep -l -x 'etcd|kube-apiserver|kube-controller|kube-scheduler'", check=False).stdout
    found = {name: pid for pid, name in map(str.split, said.splitlines())}
    return found if len(found) == 4 else {}


def served_serial(cluster: Cluster) -> int:
    """The serial number of the certificate that the API server shows."""
    address = f"{NODES['cp1']}:6443"
    ask = f"openssl s_client -connect {address} </dev/null 2>/dev/null | openssl x509 -noout -serial"
    said = cluster.prepared.lab.network.run("sh", "-c", ask).stdout
    return int(said.strip().partition("=")[2], 16)


def test_etcd_is_restored(
    cluster: Cluster, book: Runbook, cp1: NspawnMachine, worker: NspawnMachine, report: list[str]
) -> None:
    def known() -> set[str]:
        return {found["metadata"]["name"] for found in cluster.kubectl.items("configmaps")} & {"before", "after"}

    cluster.kubectl.run("create", "configmap", "before")
    cp1.shell("python3 /usr/local/lib/imagegen/firstboot/snapshot.py --now")
    cluster.kubectl.run("create", "configmap", "after")
    assert known() == {"before", "after"}
    started = time.monotonic()
    for block in ("take", "stop", "restore", "start"):
        book.on_the_node(cp1, "restore", block)
    for machine in (*cluster.prepared.machines, worker):
        book.on_the_node(machine, "restore", "kubelet")
    book.on_the_computer("restore", "watchers")
    assert known() == {"before"}
    # It takes writes, and what watches sees them: pods are made anew on every machine.
    rolled = ("rollout", "status", "daemonset/kube-proxy", "--namespace=kube-system", "--timeout=120s")
    cluster.kubectl.run(*rolled, "--request-timeout=0", timeout=150)
    report.append(f"runbook: etcd restored from a snapshot in {time.monotonic() - started:.0f} s")


def test_it_is_well_in_the_end(book: Runbook) -> None:
    def well() -> str:
        return check(book)

    assert f"node/{NEW} condition met" in until("the page that checks says so", well, limit=120)
    assert book.ran == pages.WITH_ONE_CONTROL_PLANE
