"""Three control planes and a worker, all switched on in the same second behind a plain TCP load balancer."""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Interface
from pathlib import Path
from typing import Any

import pytest
import yaml

from imagegen.lab import ground, lab
from imagegen.lab.nspawn import NspawnMachine
from imagegen.lab.process import LabError
from tests.cluster import balancer, pages, site, timeline
from tests.cluster.bake import Baked
from tests.cluster.conftest import diagnosis
from tests.cluster.kubectl import Kubectl, is_ready, until
from tools import toolbox

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

OPERATOR = IPv4Interface("10.77.0.1/24")
CONTROL_PLANES = {"cp1": "10.77.0.11", "cp2": "10.77.0.12", "cp3": "10.77.0.13"}
NODES = {**CONTROL_PLANES, "worker1": "10.77.0.21"}
# Takes the place of one of them in the end.
NEW, ADDRESS = "cp4", "10.77.0.14"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Machines by name, and the operator's view of what they have become."""

    opened: lab.Lab
    machines: dict[str, NspawnMachine]
    kubectl: Kubectl
    site: site.Site
    disk: Path

    def ready(self) -> set[str]:
        return {node["metadata"]["name"] for node in self.kubectl.items("nodes") if is_ready(node)}

    def identity(self) -> str:
        """The cluster's own: the one thing that a second cluster under the same CA would not share."""
        return self.kubectl.run("get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}")


def spec(template: dict[str, Any]) -> dict[str, Any]:
    """The lab's, with three control planes of one user-data behind the operator's address."""
    nodes = [{"name": name, "address": address} for name, address in CONTROL_PLANES.items()]
    own = {"endpoint": f"{OPERATOR.ip}:6443", "nodes": nodes, "userData": "shared"}
    return {**template, "controlPlane": {**template["controlPlane"], **own}}


@pytest.fixture(scope="module")
def cluster(baked: Baked, tmp_path_factory: pytest.TempPathFactory, report: list[str]) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("ha")
    made = site.make(folder, baked.site.image, change=spec)
    made.render()
    with (
        lab.opened(folder, operator=OPERATOR) as opened,
        balancer.balanced(opened.network.name, str(OPERATOR.ip), {**CONTROL_PLANES, NEW: ADDRESS}, folder),
    ):
        machines = {name: machine(opened, name, baked.disk, made) for name in NODES}
        kubectl = Kubectl(network=opened.network, binary=toolbox.path("kubectl"), kubeconfig=made.kubeconfig)
        found = Cluster(opened=opened, machines=machines, kubectl=kubectl, site=made, disk=baked.disk)
        started = time.time()
        for each in machines.values():
            each.start()
        try:
            until("all nodes Ready", lambda: found.ready() == set(NODES), limit=600)
        except (LabError, TimeoutError) as error:
            pytest.fail(f"{error}\n" + "\n".join(map(diagnosis, machines.values())))
        nodes = {node["metadata"]["name"]: node for node in kubectl.items("nodes")}
        report.append("three control planes behind a TCP load balancer:")
        report += [str(timeline.measure(machines[name], nodes[name], started=started)) for name in NODES]
        yield found


def machine(opened: lab.Lab, name: str, disk: Path, made: site.Site) -> NspawnMachine:
    """A machine from the disk with its own seed; not yet started."""
    new = opened.nspawn(name, disk)
    ground.prepare(new.root, made.seed(name))
    return new


def test_all_control_planes_are_such(cluster: Cluster) -> None:
    label = "node-role.kubernetes.io/control-plane"
    marked = {node["metadata"]["name"] for node in cluster.kubectl.items("nodes", f"--selector={label}")}
    assert marked == set(CONTROL_PLANES)
    for component in ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"):
        probe = functools.partial(_three_ready, cluster, component)
        assert until(f"{component} on all", probe, limit=120) == set(CONTROL_PLANES)


def _three_ready(cluster: Cluster, component: str) -> set[str]:
    pods = cluster.kubectl.items("pods", "--namespace=kube-system", f"--selector=component={component}")
    ready = {pod["spec"]["nodeName"] for pod in pods if is_ready(pod)}
    return ready if len(ready) == len(CONTROL_PLANES) else set()


def test_one_initialised_and_the_others_joined(cluster: Cluster) -> None:
    for name in CONTROL_PLANES:
        console = cluster.machines[name].console()
        assert ("phase=kubeadm-init" in console) == (name == "cp1")
        assert ("phase=kubeadm-join" in console) == (name != "cp1")


def test_the_first_machine_is_replaced_by_a_fresh_one_with_the_same_user_data(
    cluster: Cluster, report: list[str]
) -> None:
    identity, old = cluster.identity(), cluster.machines["cp1"]
    before = _uid(cluster, "cp1")
    old.power_cut()
    old.close()
    new = cluster.machines["cp1"] = machine(cluster.opened, "cp1", cluster.disk, cluster.site)
    new.log.unlink()
    started = time.monotonic()
    new.start()
    try:
        until("its last word", lambda: "phase=done status=ok" in new.console(), limit=600)
        until("all nodes Ready", lambda: cluster.ready() == set(NODES), limit=300)
    except (LabError, TimeoutError) as error:
        pytest.fail(f"{error}\n{diagnosis(new)}")
    report.append(f"cp1 replaced by a fresh machine after {time.monotonic() - started:.0f} s")
    console = new.console()
    assert "reason=cluster-found" in console
    assert "reason=etcd-member-removed" in console
    assert "phase=kubeadm-init" not in console
    assert cluster.identity() == identity
    # kubeadm keeps the node's object: pods that were bound to it are its own again.
    assert _uid(cluster, "cp1") == before
    until("its pods", lambda: _three_ready(cluster, "etcd") and _three_ready(cluster, "kube-apiserver"), limit=300)


def _uid(cluster: Cluster, node: str) -> str:
    return cluster.kubectl.run("get", "node", node, "-o", "jsonpath={.metadata.uid}")


def test_the_runbook_replaces_one_by_a_machine_of_another_name_and_address(
    cluster: Cluster, tmp_path: Path, report: list[str]
) -> None:
    book = pages.runbook(cluster.site, cluster.opened.network, tmp_path / "programs")
    cluster.machines["cp3"].power_cut()
    until("an answer", lambda: cluster.kubectl.run("get", "--raw", "/readyz"), limit=60)
    started = time.monotonic()
    remove = functools.partial(replace, cluster, book, "remove-member", NODE="cp3", PLANE="cp1")
    assert " removed from cluster " in until("an etcd that has a leader again", remove, limit=60)
    rename(cluster.site.spec, "cp3")
    replace(cluster, book, "delete", "render", NODE="cp3")
    new = cluster.machines[NEW] = machine(cluster.opened, NEW, cluster.disk, cluster.site)
    new.start()
    try:
        replace(cluster, book, "wait", NEW=NEW)
    except LabError as error:
        pytest.fail(f"{error}\n{diagnosis(new)}")
    report.append(f"cp3 replaced by {NEW}, by the runbook, in {time.monotonic() - started:.0f} s")
    # The page did it, before first boot could find something to wait for or to remove.
    assert not re.findall("reason=etcd-(?:unhealthy|member-removed)", new.console())
    assert members(cluster, book) == {"cp1", "cp2", NEW}
    # One that runs leaves by itself.
    book.on_the_node(new, REPLACE, "reset")
    # For a moment the balancer still sends requests to it.
    until("an answer", lambda: replace(cluster, book, "delete", NODE=NEW), limit=60)
    assert until("etcd's members", lambda: members(cluster, book), limit=60) == {"cp1", "cp2"}
    assert {block for page, block in book.ran if page == REPLACE} == {block for _, block in pages.WITH_SEVERAL}


REPLACE = "replace-a-control-plane"


def replace(cluster: Cluster, book: pages.Runbook, *names: str, **settings: str) -> str:
    """Blocks of the page, with the kubeconfig that the site has."""
    return book.on_the_computer(REPLACE, *names, timeout=400, KUBECONFIG=str(cluster.site.kubeconfig), **settings)


def rename(spec: Path, name: str) -> None:
    """The new machine in the place of the old one, as an operator writes it into the spec."""
    document = yaml.safe_load(spec.read_text(encoding="utf-8"))
    nodes = document["controlPlane"]["nodes"]
    nodes[[node["name"] for node in nodes].index(name)] = {"name": NEW, "address": ADDRESS}
    spec.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")


def members(cluster: Cluster, book: pages.Runbook) -> set[str]:
    """The names of etcd's members, as the page that checks shows them."""
    said = book.on_the_computer("check", "etcd", KUBECONFIG=str(cluster.site.kubeconfig))
    return set(re.findall(r"started +│ +(\S+)", said))
