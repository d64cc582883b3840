"""From a spec to a working cluster: real machines, real Kubernetes, nobody logging in."""

import functools
import json
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from imagegen.lab.process import LabError
from tests.cluster.bake import BUILDER, Baked
from tests.cluster.conftest import NODES, Cluster, Prepared
from tests.cluster.kubectl import condition, is_ready, until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(3600)]

WEB = Path(__file__).parent / "web.yaml"
NODE_PORT = 30080


def test_the_disk_carries_the_stamp_of_the_emitted_image(baked: Baked, pristine: Path) -> None:
    stamp = json.loads((pristine / "etc/imagegen/image.json").read_text(encoding="utf-8"))
    assert stamp["fingerprint"] == baked.fingerprint
    assert stamp["builtBy"]["builder"] == BUILDER
    assert stamp["builtBy"]["bundle"] == baked.bundle_sha256


def test_machines_differ_from_the_baked_disk_by_what_is_declared_only(prepared: Prepared) -> None:
    assert prepared.undeclared == ()


def test_nodes_are_ready_with_their_names_and_addresses(cluster: Cluster) -> None:
    nodes = cluster.kubectl.items("nodes")
    addresses = {
        node["metadata"]["name"]: address["address"]
        for node in nodes
        for address in node["status"]["addresses"]
        if address["type"] == "InternalIP"
    }
    assert addresses == NODES
    assert all(map(is_ready, nodes))
    assert {node["status"]["nodeInfo"]["kubeletVersion"] for node in nodes} == {"v1.37.2"}


def test_everything_in_kube_system_runs(cluster: Cluster) -> None:
    def all_run() -> bool:
        pods = cluster.kubectl.items("pods", "--namespace=kube-system")
        return bool(pods) and all(map(is_ready, pods))

    until("every pod in kube-system Ready", all_run, limit=120)
    (coredns,) = cluster.kubectl.items("deployments", "--namespace=kube-system", "--selector=k8s-app=kube-dns")
    assert condition(coredns, "Available")["status"] == "True"


@pytest.fixture(scope="module")
def web_pods(cluster: Cluster) -> dict[str, str]:
    """The node of each pod of the Deployment, by the pod's name."""
    cluster.kubectl.run("apply", f"--filename={WEB}")

    def both() -> dict[str, str]:
        pods = cluster.kubectl.items("pods", "--selector=app=web")
        ready = {pod["metadata"]["name"]: pod["spec"]["nodeName"] for pod in pods if is_ready(pod)}
        return ready if len(ready) == 2 else {}

    return until("both pods Ready", both, limit=120)


def test_the_deployment_has_a_pod_on_each_machine(web_pods: dict[str, str]) -> None:
    assert sorted(web_pods.values()) == sorted(NODES)


def test_pods_reach_both_pods_by_the_service_name(cluster: Cluster, web_pods: dict[str, str]) -> None:
    ask = " && ".join(20 * ["wget -q -O - http://web.default.svc.cluster.local"])
    for pod in web_pods:
        command = ("exec", pod, "--", "sh", "-c", ask)
        ask_it = functools.partial(cluster.kubectl.run, *command, timeout=120)
        until(f"{pod} reaches both", functools.partial(_reaches, ask_it, web_pods), limit=60)


def _reaches(ask: Callable[[], str], pods: Iterable[str]) -> bool:
    """Whether all pods answer; a node hears of a pod that is Ready a moment later."""
    return set(ask().split()) == set(pods)


@pytest.mark.parametrize("node", NODES)
def test_every_node_serves_both_pods_to_the_outside(cluster: Cluster, web_pods: dict[str, str], node: str) -> None:
    url = f"http://{NODES[node]}:{NODE_PORT}/"
    network = cluster.prepared.lab.network

    def ask() -> str:
        return " ".join(network.run("curl", "-sf", "-m", "5", url).stdout.strip() for _ in range(20))

    until(url, functools.partial(_reaches, ask, web_pods), limit=60)


def test_nobody_answers_on_a_port_that_no_service_has(cluster: Cluster) -> None:
    with pytest.raises(LabError):
        cluster.prepared.lab.network.run("curl", "-sf", "-m", "5", f"http://{NODES['cp1']}:{NODE_PORT + 1}/")


def test_consoles_tell_of_every_phase_to_the_end(cluster: Cluster) -> None:
    for machine in cluster.prepared.machines:
        assert "imagegen: phase=done status=ok" in machine.console(), machine.name


def test_memory_with_the_deployment_running(cluster: Cluster, report: list[str]) -> None:
    for machine in cluster.prepared.machines:
        mebibytes = machine.memory() >> 20
        report.append(f"{machine.name:10} with the Deployment: {mebibytes} MiB")
        assert 0 < mebibytes < 1024
