"""From a spec to a working cluster: real machines, real Kubernetes, nobody logging in."""

import functools
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from imagegen.lab.process import LabError
from tests.cluster import site
from tests.cluster.bake import BUILDER, Baked
from tests.cluster.conftest import NODES, Cluster, Prepared
from tests.cluster.kubectl import condition, is_ready, until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(3600)]

WEB = Path(__file__).parent / "web.yaml"
NODE_PORT = 30080
_MOST_OF_OURS = 0.1


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


def test_the_deployment_s_pods_are_on_machines_of_their_own(web_pods: dict[str, str]) -> None:
    assert len(set(web_pods.values())) == 2


def test_pods_reach_each_other_by_their_addresses(cluster: Cluster, web_pods: dict[str, str]) -> None:
    pods = cluster.kubectl.items("pods", "--selector=app=web")
    addresses = {pod["metadata"]["name"]: pod["status"]["podIP"] for pod in pods}
    for asker in web_pods:
        for asked, address in addresses.items():
            said = cluster.kubectl.run("exec", asker, "--", "wget", "-q", "-O", "-", f"http://{address}:8080")
            assert said.strip() == asked


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


def kube_vip(template: dict[str, Any]) -> dict[str, Any]:
    """The lab's spec with kube-vip at a free address."""
    ours = {"endpoint": "10.77.0.9:6443", "highAvailability": {"type": "kubeVip"}}
    return {**template, "controlPlane": {**template["controlPlane"], **ours}}


def test_the_api_server_takes_kube_vip_s_manifest_and_no_broken_one(
    cluster: Cluster, baked: Baked, tmp_path: Path
) -> None:
    made = site.make(tmp_path, baked.site.image, change=kube_vip)
    made.render()
    user_data = yaml.safe_load((made.rendered / "user-data/control-plane-init.yaml").read_text(encoding="utf-8"))
    (text,) = (file["content"] for file in user_data["write_files"] if file["path"].endswith("/kube-vip.yaml"))
    good, broken = tmp_path / "good.yaml", tmp_path / "broken.yaml"
    good.write_text(text, encoding="utf-8")
    broken.write_text(text.replace("hostPath:", "hostPaths:"), encoding="utf-8")
    create = ("create", "--dry-run=server", "--validate=strict", "-f")
    assert "pod/kube-vip created" in cluster.kubectl.run(*create, str(good))
    with pytest.raises(LabError, match="hostPaths"):
        cluster.kubectl.run(*create, str(broken))


def test_little_of_the_time_until_a_node_is_ready_is_ours(cluster: Cluster) -> None:
    assert {times.name: times.share for times in cluster.times if times.share > _MOST_OF_OURS} == {}


def test_consoles_tell_of_every_phase_to_the_end(cluster: Cluster) -> None:
    for machine in cluster.prepared.machines:
        assert "imagegen: phase=done status=ok" in machine.console(), machine.name


def test_memory_with_the_deployment_running(cluster: Cluster, report: list[str]) -> None:
    for machine in cluster.prepared.machines:
        mebibytes = machine.memory() >> 20
        report.append(f"{machine.name:10} with the Deployment: {mebibytes} MiB")
        assert 0 < mebibytes < 1024
